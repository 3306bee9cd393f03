package awsconfig

// dialect is what the AWS files mean, case by case. In want a line "name c1"
// is a profile (or, with its kind, another section) and where it begins: c is
// the config file, k the credentials file, and the number the line. The lines
// under it are its keys, or the error.
//
// otherwise says why botocore has another opinion of the case; where it is
// empty, botocore must agree.
var dialect = []struct {
	name, config, credentials string
	sections                  [][2]string
	want                      string
	otherwise                 string
}{
	// Headers.
	{
		name: "nothing",
	}, {
		name:   "default",
		config: "[default]\nregion = us-east-1\n",
		want:   "default c1\n region=\"us-east-1\" c2\n",
	}, {
		name:   "profile",
		config: "[profile a]\nregion = us-east-1\n[profile b]\nregion = eu-west-1\n",
		want:   "a c1\n region=\"us-east-1\" c2\nb c3\n region=\"eu-west-1\" c4\n",
	}, {
		name:   "no newline at the end",
		config: "[profile a]\nregion = us-east-1",
		want:   "a c1\n region=\"us-east-1\" c2\n",
	}, {
		name:   "header at the very end",
		config: "[profile a]",
		want:   "a c1\n",
	}, {
		name:   "any blanks inside",
		config: "[profile \t  a\t]\nk = v\n",
		want:   "a c1\n k=\"v\" c2\n",
	}, {
		name:   "blanks before the word",
		config: "[ profile a ]\nk = v\n[ default ]\nk = w\n", credentials: "[ b ]\nk = x\n",
		want:      "a c1\n k=\"v\" c2\ndefault c3\n k=\"w\" c4\nb k1\n k=\"x\" k2\n",
		otherwise: "it keeps the blanks, and finds none of the three; the SDKs drop them",
	}, {
		name:   "double quotes",
		config: "[profile \"a b\"]\nk = v\n",
		want:   "a b c1\n k=\"v\" c2\n",
	}, {
		name:   "single quotes",
		config: "[profile 'a \"b\" \\c']\nk = v\n",
		want:   "a \"b\" \\c c1\n k=\"v\" c2\n",
	}, {
		name:   "no escapes in single quotes",
		config: "[profile 'a\\\\b \\']\nk = v\n",
		want:   "a\\\\b \\ c1\n k=\"v\" c2\n",
	}, {
		name:   "each way to quote alone",
		config: "[profile 'a b']\nk = 1\n[profile \"c d\"]\nk = 2\n[profile e\\ f]\nk = 3\n",
		want:   "a b c1\n k=\"1\" c2\nc d c3\n k=\"2\" c4\ne f c5\n k=\"3\" c6\n",
	}, {
		name:   "quotes inside a word",
		config: "[profile a\" b\"'c'd]\nk = v\n",
		want:   "a bcd c1\n k=\"v\" c2\n",
	}, {
		name:   "backslash escapes",
		config: "[profile a\\ b\\\"\\\\]\nk = v\n",
		want:   "a b\"\\ c1\n k=\"v\" c2\n",
	}, {
		name:   "backslash in double quotes",
		config: "[profile \"a\\\"b\\\\c\\d\"]\nk = v\n",
		want:   "a\"b\\c\\d c1\n k=\"v\" c2\n",
	}, {
		name:   "quotes left open",
		config: "[profile \"a]\nk = v\n[profile b\\]\nk = v\n[profile c]\nk = v\n",
		want:   "c c5\n k=\"v\" c6\n",
	}, {
		name:   "two words without quotes",
		config: "[profile a b]\nk = v\n[profile]\nk = v\n[profile ]\nk = v\n[profile c]\n",
		want:   "c c7\n",
	}, {
		name:   "an empty name",
		config: "[profile \"\"]\nk = v\n", credentials: "[ ]\nk = v\n",
		want:      "",
		otherwise: "it has a profile with the empty name, which nothing can select",
	}, {
		name:   "first word that only begins with profile",
		config: "[profiles a]\nk = v\n",
		want:   "a c1\n k=\"v\" c2\n",
	}, {
		name:   "word without regard to case",
		config: "[Profile a]\nk = v\n[DEFAULT x]\nk = v\n",
		want:   "",
	}, {
		name:   "names have case",
		config: "[profile A]\nk = 1\n[profile a]\nk = 2\n",
		want:   "A c1\n k=\"1\" c2\na c3\n k=\"2\" c4\n",
	}, {
		name:   "config section without the word",
		config: "[a]\nk = v\n[preview]\ncloudfront = true\n[plugins]\n",
		want:   "",
	}, {
		name:   "text behind the bracket",
		config: "[profile a] # a comment\nk = v\n[profile b]junk = x\nk = w\n",
		want:   "a c1\n k=\"v\" c2\nb c3\n k=\"w\" c4\n",
	}, {
		name: "the last bracket counts", credentials: "[a]b]\nk = v\n[c] # see [1]\nk = w\n[]]\nk = x\n",
		want: "a]b k1\n k=\"v\" k2\nc] # see [1 k3\n k=\"w\" k4\n] k5\n k=\"x\" k6\n",
	}, {
		name: "credentials take names as they are", credentials: "[profile a]\nk = v\n[\"b c\"]\nk = w\n[d e]\nk = x\n",
		want: "profile a k1\n k=\"v\" k2\n\"b c\" k3\n k=\"w\" k4\nd e k5\n k=\"x\" k6\n",
	}, {
		name:   "names beyond ASCII",
		config: "[profile größe-東京]\nk = v\n", credentials: "[größe-東京]\nk2 = w\n",
		want: "größe-東京 c1\n k=\"v\" c2\n k2=\"w\" k2\n",
	}, {
		name: "characters that names may have", credentials: "[a/b@c.d_e+f%g:h]\nk = v\n",
		want: "a/b@c.d_e+f%g:h k1\n k=\"v\" k2\n",
	}, {
		name:   "sso-session and services",
		config: "[sso-session corp]\nsso_region = us-east-1\n[services local]\nsts =\n  endpoint_url = http://localhost:4566\n[profile corp]\nservices = local\n", sections: [][2]string{{"sso-session", "corp"}, {"services", "local"}},
		want: "corp c6\n services=\"local\" c7\n" +
			"sso-session corp c1\n sso_region=\"us-east-1\" c2\n" +
			"services local c3\n sts=\"\" c4\n sts.endpoint_url=\"http://localhost:4566\" c5\n",
	}, {
		name:   "sso-session is no profile",
		config: "[sso-session \"my corp\"]\nk = v\n", sections: [][2]string{{"sso-session", "my corp"}},
		want: "sso-session my corp c1\n k=\"v\" c2\n",
	},

	// Merging.
	{
		name:   "credentials win key by key",
		config: "[profile a]\nregion = r\naws_access_key_id = config\n", credentials: "[a]\naws_access_key_id = credentials\naws_secret_access_key = s\n",
		want: "a c1\n aws_access_key_id=\"credentials\" k2\n aws_secret_access_key=\"s\" k3\n region=\"r\" c2\n",
	}, {
		name: "credentials alone", credentials: "[default]\naws_access_key_id = id\n[b]\naws_access_key_id = id2\n",
		want: "default k1\n aws_access_key_id=\"id\" k2\nb k3\n aws_access_key_id=\"id2\" k4\n",
	}, {
		name:   "config order before credentials order",
		config: "[profile b]\n[default]\n[profile a]\n", credentials: "[z]\n[a]\n",
		want: "b c1\ndefault c2\na c3\nz k1\n",
	}, {
		name:   "profile default beats default before it",
		config: "[default]\nregion = 1\noutput = json\n[profile default]\nregion = 2\n",
		want:   "default c4\n region=\"2\" c5\n",
	}, {
		name:   "profile default beats default after it",
		config: "[profile default]\nregion = 2\n[default]\nregion = 1\noutput = json\n",
		want:   "default c1\n region=\"2\" c2\n", otherwise: "it takes the later one; the SDKs take the one with the word",
	}, {
		name:   "duplicate sections are merged",
		config: "[profile a]\nk = 1\nl = 1\n[profile b]\nk = 3\n[profile a]\nk = 2\nm = 2\n",
		want:   "a c1\n k=\"2\" c7\n l=\"1\" c3\n m=\"2\" c8\nb c4\n k=\"3\" c5\n", otherwise: "it refuses the file; the SDKs merge",
	}, {
		name:   "duplicates that are spelled differently",
		config: "[profile a]\nk = 1\n[profile \"a\"]\nl = 2\n",
		want:   "a c1\n k=\"1\" c2\n l=\"2\" c4\n", otherwise: "it forgets the first; merged like all duplicates",
	}, {
		name:   "the last of duplicate keys wins",
		config: "[profile a]\nk = 1\nK = 2\n",
		want:   "a c1\n k=\"2\" c3\n", otherwise: "it refuses the file; the SDKs take the last",
	}, {
		name:   "nothing is inherited",
		config: "[default]\nregion = r\n[profile a]\noutput = json\n",
		want:   "default c1\n region=\"r\" c2\na c3\n output=\"json\" c4\n",
	}, {
		name:   "nothing is inherited from DEFAULT either",
		config: "[DEFAULT]\nregion = r\n[profile a]\noutput = json\n",
		want:   "a c3\n output=\"json\" c4\n", otherwise: "every section of Python's configparser inherits from DEFAULT; no AWS document says so",
	},

	// Keys and values.
	{
		name:   "blanks around key and value",
		config: "[profile a]\nk1=v\nk2 =v\nk3= v\nk4\t=\tv w \t\n",
		want:   "a c1\n k1=\"v\" c2\n k2=\"v\" c3\n k3=\"v\" c4\n k4=\"v w\" c5\n",
	}, {
		name:   "a colon divides too",
		config: "[profile a]\nk1: v\nk2 : a=b\nk3 = a:b\nrole_arn: arn:aws:iam::1:role/x\n",
		want:   "a c1\n k1=\"v\" c2\n k2=\"a=b\" c3\n k3=\"a:b\" c4\n role_arn=\"arn:aws:iam::1:role/x\" c5\n",
	}, {
		name:   "the first delimiter divides",
		config: "[profile a]\nk = a=b==\nl = = =\n",
		want:   "a c1\n k=\"a=b==\" c2\n l=\"= =\" c3\n",
	}, {
		name:   "keys have no case",
		config: "[profile a]\nREGION = x\nRole_Arn = y\n",
		want:   "a c1\n region=\"x\" c2\n role_arn=\"y\" c3\n",
	}, {
		name:   "keys with blanks and dots",
		config: "[profile a]\na key = x\ns3.b = y\n",
		want:   "a c1\n a key=\"x\" c2\n s3.b=\"y\" c3\n",
	}, {
		name:   "empty value",
		config: "[profile a]\nk =\nl = \n\nm = x\n",
		want:   "a c1\n k=\"\" c2\n l=\"\" c3\n m=\"x\" c5\n",
	}, {
		name:   "quotes stay",
		config: "[profile a]\nk = \"v\"\nl = 'w'\nm = \"\n",
		want:   "a c1\n k=\"\\\"v\\\"\" c2\n l=\"'w'\" c3\n m=\"\\\"\" c4\n",
	}, {
		name:   "no interpolation",
		config: "[profile a]\nk = %(x)s %% ${HOME} $HOME ~\n",
		want:   "a c1\n k=\"%(x)s %% ${HOME} $HOME ~\" c2\n",
	}, {
		name:   "backslashes are themselves",
		config: "[profile a]\nk = C:\\dir\\\nl = \\n\\t\\\\\n",
		want:   "a c1\n k=\"C:\\\\dir\\\\\" c2\n l=\"\\\\n\\\\t\\\\\\\\\" c3\n",
	}, {
		name:   "brackets in values",
		config: "[profile a]\nk = [profile b]\nl = x [profile c]\n",
		want:   "a c1\n k=\"[profile b]\" c2\n l=\"x [profile c]\" c3\n",
	}, {
		name:   "values beyond ASCII",
		config: "[profile a]\nk = größe 東京 \U0001F511\n",
		want:   "a c1\n k=\"größe 東京 \U0001F511\" c2\n",
	},

	// Comments.
	{
		name:   "comment lines",
		config: "# one\n; two\n[profile a]\n# three\nk = v\n  ; four\n\t# [profile b]\nl = w\n#[profile c]\n;m = x\n",
		want:   "a c3\n k=\"v\" c5\n l=\"w\" c8\n",
	}, {
		name:   "comment behind a value",
		config: "[profile a]\nk = v # c\nl = v ; c\nm = v\t#c\nn = v\t; c # d\n",
		want:   "a c1\n k=\"v\" c2\n l=\"v\" c3\n m=\"v\" c4\n n=\"v\" c5\n", otherwise: "it takes the comment for a part of the value; the SDKs cut it off",
	}, {
		name:   "comment instead of a value",
		config: "[profile a]\nk = # c\nl =# c\n",
		want:   "a c1\n k=\"\" c2\n l=\"# c\" c3\n", otherwise: "as with any comment behind a value",
	}, {
		name:   "no comment without a blank",
		config: "[profile a]\nsso_start_url = https://x.awsapps.com/start#/\nl = a;b\n",
		want:   "a c1\n l=\"a;b\" c3\n sso_start_url=\"https://x.awsapps.com/start#/\" c2\n",
	}, {
		name:   "other marks are no comments",
		config: "[profile a]\nk = v // x\nrem = x\n",
		want:   "a c1\n k=\"v // x\" c2\n rem=\"x\" c3\n",
	},

	// Continuation lines.
	{
		name:   "continuation",
		config: "[profile a]\nk = one\n  two\n\tthree \nl = x\n",
		want:   "a c1\n k=\"one\\ntwo\\nthree\" c2\n l=\"x\" c5\n",
	}, {
		name:   "continuation that looks like a setting",
		config: "[profile a]\nk = one\n  l = two\nm = x\n",
		want:   "a c1\n k=\"one\\nl = two\" c2\n m=\"x\" c4\n",
	}, {
		name:   "continuation that looks like a header",
		config: "[profile a]\nk = one\n  [profile b]\n  l = x\n[profile c]\n",
		want:   "a c1\n k=\"one\\n[profile b]\\nl = x\" c2\nc c5\n",
	}, {
		name:   "blank lines inside",
		config: "[profile a]\nk = one\n\n \n  two\n\n\nl = x\n",
		want:   "a c1\n k=\"one\\n\\n\\ntwo\" c2\n l=\"x\" c8\n",
	}, {
		name:   "blank lines inside twice",
		config: "[profile a]\nk = one\n\n  two\n  three\n\n  four\n",
		want:   "a c1\n k=\"one\\n\\ntwo\\nthree\\n\\nfour\" c2\n",
	}, {
		name:   "comment lines inside",
		config: "[profile a]\nk = one\n# c\n  ; d\n  two\nl = x\n",
		want:   "a c1\n k=\"one\\ntwo\" c2\n l=\"x\" c6\n",
	}, {
		name:   "a number sign inside",
		config: "[profile a]\nk = one\n  two # three\n",
		want:   "a c1\n k=\"one\\ntwo # three\" c2\n",
	}, {
		name:   "first key indented",
		config: "[profile a]\n  k = v\n  l = w\n[profile b]\n\tk = x\n",
		want:   "a c1\n k=\"v\" c2\n l=\"w\" c3\nb c4\n k=\"x\" c5\n",
	}, {
		name:   "less and less indented",
		config: "[profile a]\n    k = v\n  l = w\nm = x\n",
		want:   "a c1\n k=\"v\" c2\n l=\"w\" c3\n m=\"x\" c4\n",
	}, {
		name:   "a tab is one character",
		config: "[profile a]\n    k = v\n\tl = w\n",
		want:   "a c1\n k=\"v\" c2\n l=\"w\" c3\n",
	}, {
		name:   "indentation counts characters",
		config: "[profile a]\n\u2003\u2003k = v\n   l\n  m = x\n",
		want:   "a c1\n k=\"v\\nl\" c2\n m=\"x\" c4\n",
	}, {
		name:   "everything indented",
		config: "  [profile a]\n  k = v\n  [profile b]\n  k = w\n",
		want:   "a c1\n k=\"v\" c2\nb c3\n k=\"w\" c4\n",
	}, {
		name:   "indented header behind a header",
		config: "[profile a]\n    [profile b]\n  k = w\n",
		want:   "a c1\nb c2\n k=\"w\" c3\n",
	}, {
		name:   "indented header behind a deeper key",
		config: "[profile a]\n    k = v\n  [profile b]\n    k = w\n     [profile c]\n",
		want:   "a c1\n k=\"v\" c2\nb c3\n k=\"w\\n[profile c]\" c4\n",
	}, {
		name:   "a blank line ends nothing",
		config: "[profile a]\nk = v\n\n  [profile b]\n",
		want:   "a c1\n k=\"v\\n\\n[profile b]\" c2\n",
	},

	// Nested settings.
	{
		name:   "nested",
		config: "[profile a]\ns3 =\n  max_concurrent_requests = 20\n  addressing_style=path\nregion = x\n",
		want:   "a c1\n region=\"x\" c5\n s3=\"\" c2\n s3.addressing_style=\"path\" c4\n s3.max_concurrent_requests=\"20\" c3\n",
	}, {
		name:   "nested with comments and blank lines",
		config: "[profile a]\ns3 =\n\n  # c\n  k = v\n\n  l = w # x\n",
		want:   "a c1\n s3=\"\" c2\n s3.k=\"v\" c5\n s3.l=\"w # x\" c7\n",
	}, {
		name:   "nested deeper",
		config: "[profile a]\ns3 =\n  k =\n    l = w\n",
		want:   "a c1\n s3=\"\" c2\n s3.k=\"\" c3\n s3.l=\"w\" c4\n",
	}, {
		name:   "only the equals sign divides",
		config: "[profile a]\ns3 =\n  k : l = v = w\n",
		want:   "a c1\n s3=\"\" c2\n s3.k : l=\"v = w\" c3\n",
	}, {
		name:   "nested keys have no case",
		config: "[profile a]\nS3 =\n  Key = v\n",
		want:   "a c1\n s3=\"\" c2\n s3.key=\"v\" c3\n", otherwise: "it keeps the case of nested keys; the SDKs do not",
	}, {
		name:   "nested behind a comment",
		config: "[profile a]\ns3 = # c\n  k = v\n",
		want:   "a c1\n s3=\"\" c2\n s3.k=\"v\" c3\n", otherwise: "as with any comment behind a value",
	}, {
		name:   "nested without equals sign",
		config: "[profile a]\nk =\n  v\n[profile b]\nk = v\n",
		want:   "a error c3\nb c4\n k=\"v\" c5\n",
	}, {
		name:   "nested without key",
		config: "[profile a]\nk =\n  = v\n",
		want:   "a error c3\n", otherwise: "it takes the empty key",
	},

	// Encodings and line ends.
	{
		name:   "CRLF",
		config: "[profile a]\r\nk = v\r\ns3 =\r\n  l = w\r\n\r\n[profile b]\r\nk = x\r\n",
		want:   "a c1\n k=\"v\" c2\n s3=\"\" c3\n s3.l=\"w\" c4\nb c6\n k=\"x\" c7\n",
	}, {
		name:   "CR alone",
		config: "[profile a]\rk = v\r\r[profile b]\rk = x",
		want:   "a c1\n k=\"v\" c2\nb c4\n k=\"x\" c5\n",
	}, {
		name:   "line ends mixed",
		config: "[profile a]\rk = v\r\n\n\r[profile b]\nk = x\r\r\nl = y",
		want:   "a c1\n k=\"v\" c2\nb c5\n k=\"x\" c6\n l=\"y\" c8\n",
	}, {
		name:   "byte order mark",
		config: "\uFEFF[profile a]\nk = v\n", credentials: "\uFEFF[a]\nl = w\n",
		want: "a c1\n k=\"v\" c2\n l=\"w\" k2\n", otherwise: "it refuses the file",
	}, {
		name:   "other line separators are text",
		config: "[profile a]\nk = x\u2028y\u0085z\vw\n",
		want:   "a c1\n k=\"x\\u2028y\\u0085z\\vw\" c2\n",
	},

	// What cannot be read.
	{
		name:   "text before the first header",
		config: "k = v\njunk\n[profile a]\nk = w\n",
		want:   "a c3\n k=\"w\" c4\n", otherwise: "it refuses the file; the SDKs do not",
	}, {
		name:   "no delimiter",
		config: "[profile a]\nk = v\njunk\n[profile b]\nk = w\n",
		want:   "a error c3\nb c4\n k=\"w\" c5\n",
	}, {
		name:   "no key",
		config: "[profile a]\n= v\n",
		want:   "a error c2\n",
	}, {
		name:   "header without closing bracket",
		config: "[profile a]\nk = v\n[profile b\nk = w\n[profile c]\nk = x\n",
		want:   "a error c3\nc c5\n k=\"x\" c6\n",
	}, {
		name:   "header without name",
		config: "[profile a]\nk = v\n[]\nk = w\n",
		want:   "a error c3\n",
	}, {
		name:   "header that is half a setting",
		config: "[profile a]\n[b = v\n",
		want:   "a error c2\n", otherwise: "it takes \"[b\" for a key",
	}, {
		name:   "NUL",
		config: "[profile a]\nk = v\x00w\n[profile b]\nk = w\n",
		want:   "a error c2\nb c3\n k=\"w\" c4\n", otherwise: "it takes the byte as it is",
	}, {
		name: "error in the second of two files", config: "[profile a]\nk = v\n", credentials: "[a]\njunk\n",
		want: "a error k2\n",
	},
}
