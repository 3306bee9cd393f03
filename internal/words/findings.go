package words

import "sync"

// findings explain what the doctor finds.
var findings = sync.OnceValue(func() map[string]entry {
	return map[string]entry{
		// Lines on which the AWS tools disagree. 1 is the section, 2 the key, 3 the
		// line as it should be, 4 the number of the line that it repeats, 5 the file.
		"trailing-comment": {
			text{"a comment stands behind the value of %[2]s", "%[2]s の値の後ろにコメントがある"},
			text{"the AWS CLI and boto3 take it for a part of the value, the SDKs cut it off", "AWS CLI と boto3 はコメントも値の一部として読み、SDK は切り捨てる"},
			text{"write %[3]s, and the comment on a line of its own", "%[3]s とだけ書き、コメントは別の行に移す"},
		},
		"nested-comment": {
			text{"a comment stands behind the value of %[2]s", "%[2]s の値の後ろにコメントがある"},
			text{"the SDK for JavaScript cuts it off, the AWS CLI and the SDK for Go take it for a part of the value", "JavaScript の SDK は切り捨て、AWS CLI と Go の SDK は値の一部として読む"},
			text{"write %[3]s, and the comment on a line of its own", "%[3]s とだけ書き、コメントは別の行に移す"},
		},
		"continued-value": {
			text{"the value of %[2]s goes on in an indented line", "%[2]s の値が字下げした次の行に続いている"},
			text{"the AWS CLI and the SDK for Go join the lines, the SDK for JavaScript keeps the first", "AWS CLI と Go の SDK は行をつなぎ、JavaScript の SDK は最初の行だけを使う"},
			text{"write it on one line: %[3]s", "1 行で書く: %[3]s"},
		},
		"colon-separator": {
			text{"%[2]s is set with a colon", "%[2]s がコロンで設定されている"},
			text{"the AWS CLI takes it, the SDKs do not see the setting", "AWS CLI は読むが、SDK にはこの設定が見えない"},
			text{"write %[3]s", "%[3]s と書く"},
		},
		"quoted-value": {
			text{"the value of %[2]s is in quotes", "%[2]s の値が引用符で囲まれている"},
			text{"they are part of the value to the AWS CLI and the SDK for JavaScript, but not to that for Go", "AWS CLI と JavaScript の SDK では引用符も値になり、Go の SDK では外れる"},
			text{"write %[3]s", "%[3]s と書く"},
		},
		"quoted-name": {
			text{"the name in [%[1]s] is in quotes", "[%[1]s] の名前が引用符で囲まれている"},
			text{"the AWS CLI takes them off, the SDKs do not find the profile", "AWS CLI は引用符を外すが、SDK はプロファイルを見つけられない"},
			text{"write %[3]s, and the name so wherever it is used", "%[3]s と書き、使っているところもその名前にする"},
		},
		"capital-key": {
			text{"%[2]s is written in capitals", "%[2]s が大文字で書かれている"},
			text{"the SDK for JavaScript does not find it", "JavaScript の SDK はこの設定を見つけられない"},
			text{"write %[3]s", "%[3]s と書く"},
		},
		"nested-capital": {
			text{"%[2]s is written in capitals", "%[2]s が大文字で書かれている"},
			text{"the AWS CLI and boto3 do not find it", "AWS CLI と boto3 はこの設定を見つけられない"},
			text{"write %[3]s", "%[3]s と書く"},
		},
		"padded-header": {
			text{"there are blanks inside the brackets of [%[1]s]", "[%[1]s] の括弧の内側に空白がある"},
			text{"not every AWS tool finds the section", "このセクションを見つけられない AWS ツールがある"},
			text{"write %[3]s", "%[3]s と書く"},
		},
		"stray-section": {
			text{"no tool reads the section [%[1]s]", "セクション [%[1]s] はどのツールも読まない"},
			text{"the config file wants [profile NAME], the credentials file wants [NAME]", "config ファイルでは [profile 名前]、credentials ファイルでは [名前] と書く"},
			text{"write %[3]s, or delete the section", "%[3]s と書くか、セクションを消す"},
		},
		"inherited-section": {
			text{"[%[1]s] is not the profile default", "[%[1]s] は default プロファイルではない"},
			text{"all sections inherit its settings for the AWS CLI and boto3, and no SDK reads it", "AWS CLI と boto3 では全セクションに引き継がれ、SDK はどれも読まない"},
			text{"write [default]", "[default] と書く"},
		},
		"two-defaults": {
			text{"the profile default has two sections, this one and that of line %[4]s", "default プロファイルのセクションが 2 つある (ここと %[4]s 行目)"},
			text{"the SDKs read [profile default] alone, the AWS CLI and boto3 the later of the two", "SDK は [profile default] だけを、AWS CLI と boto3 は後にあるほうを読む"},
			text{"put the settings of both under [default], and delete the other header", "両方の設定を [default] にまとめ、もう一方の見出しを消す"},
		},
		"second-section": {
			text{"the section [%[1]s] was there before, in line %[4]s", "セクション [%[1]s] がすでに %[4]s 行目にある"},
			text{"the AWS CLI and boto3 refuse the whole file, the SDKs merge the two", "AWS CLI と boto3 はファイル全体を拒み、SDK は 2 つを合わせる"},
			text{"move its settings up under [%[1]s] in line %[4]s, and delete this header", "設定を %[4]s 行目の [%[1]s] の下に移し、この見出しを消す"},
		},
		"second-key": {
			text{"%[2]s was set before in [%[1]s], in line %[4]s", "[%[1]s] の %[2]s はすでに %[4]s 行目で設定されている"},
			text{"the AWS CLI and boto3 refuse the whole file, for the SDKs the last one counts", "AWS CLI と boto3 はファイル全体を拒み、SDK では最後のものが有効になる"},
			text{"delete the earlier line: sed -i.bak %[4]sd %[5]s", "先の行を消す: sed -i.bak %[4]sd %[5]s"},
		},
		"no-setting": {
			text{"this line is neither a header nor a setting", "この行は見出しでも設定でもない"},
			text{"the AWS CLI and boto3 refuse the whole file, the SDKs pass over the line", "AWS CLI と boto3 はファイル全体を拒み、SDK はこの行を読み飛ばす"},
			text{"write KEY = VALUE, or put # in front of it", "キー = 値 と書くか、行頭に # を付ける"},
		},
		"headless-line": {
			text{"this line stands above the first header", "この行は最初の見出しより上にある"},
			text{"the AWS CLI and boto3 refuse the whole file, the SDKs pass over the line", "AWS CLI と boto3 はファイル全体を拒み、SDK はこの行を読み飛ばす"},
			text{"write a header above it, such as [default], or put # in front of it", "その上に [default] などの見出しを書くか、行頭に # を付ける"},
		},
		"byte-order-mark": {
			text{"the file begins with a byte order mark", "ファイルの先頭に BOM がある"},
			text{"the AWS CLI and boto3 refuse the whole file, the SDKs do not", "AWS CLI と boto3 はファイル全体を拒み、SDK は読む"},
			text{"take it out: aws-switch-role doctor --fix", "取り除く: aws-switch-role doctor --fix"},
		},
		"not-utf8": {
			text{"this line is not UTF-8 text", "この行は UTF-8 のテキストではない"},
			text{"the AWS CLI and boto3 refuse the whole file", "AWS CLI と boto3 はファイル全体を拒む"},
			text{"save the file as UTF-8, for instance: iconv -f LATIN1 -t UTF-8 -o NEW %[5]s", "ファイルを UTF-8 で保存する。たとえば: iconv -f CP932 -t UTF-8 -o 新しいファイル %[5]s"},
		},

		// What keeps a profile from being switched to.
		"unplannable":     {why: text{"no switch to this profile can start, nor to one that builds on it", "このプロファイルにも、これを起点にするものにも切り替えられない"}},
		"unreadable-line": {why: text{"no profile that needs this line can be switched to", "この行を使うプロファイルには切り替えられない"}},

		// Settings.
		"key-typo": {
			text{"%[1]s is no setting of any AWS tool", "%[1]s という設定はどの AWS ツールにもない"},
			text{"it is silently ignored", "何も言わずに無視される"},
			text{"did you mean %[2]s?", "%[2]s のつもりでは?"},
		},
		"shadowed-key": {
			text{"%[1]s never counts", "%[1]s は使われない"},
			text{"the credentials file sets it, too (%[2]s), and goes first", "credentials ファイル (%[2]s) にもあり、そちらが優先される"},
			text{"delete this line: sed -i.bak %[3]sd %[4]s", "この行を消す: sed -i.bak %[3]sd %[4]s"},
		},
		"plain-key": {
			text{"the long-lived key %[1]s stands here in plain text", "長期アクセスキー %[1]s が平文で置かれている"},
			text{"every program that you run can read it", "実行するどのプログラムからも読める"},
			text{"aws-switch-role keys import %[2]s", "aws-switch-role keys import %[2]s"},
		},
		"key-in-both": {
			text{"the key %[1]s is in the keyring, and still here in plain text", "キー %[1]s はキーリングにあるのに、ここにも平文で残っている"},
			text{"the keyring's is used; this one only waits to be read", "使われるのはキーリングのほうで、ここにある意味はない"},
			text{"take it out of the file: aws-switch-role keys import %[2]s", "ファイルから消す: aws-switch-role keys import %[2]s"},
		},
		"idle-keys": {
			text{"these keys never count", "このキーは使われない"},
			text{"the profile assumes a role from another source (%[1]s)", "プロファイルは別の起点からロールを引き受ける (%[1]s)"},
			text{"delete them: sed -i.bak %[2]s %[3]s", "消す: sed -i.bak %[2]s %[3]s"},
		},
		"idle-process": {
			text{"credential_process never runs", "credential_process は実行されない"},
			text{"the profile has keys, too (%[1]s), and they go first", "プロファイルにはキーもあり (%[1]s)、そちらが優先される"},
			text{"delete this line, or the keys: sed -i.bak %[2]sd %[3]s", "この行かキーを消す: sed -i.bak %[2]sd %[3]s"},
		},
		"keys-beside-sign-in": {
			text{"the profile has keys beside its %[1]s", "プロファイルに %[1]s のほかにキーもある"},
			text{"the AWS CLI takes %[1]s (%[2]s), the SDKs for Go and JavaScript take the keys", "AWS CLI は %[1]s (%[2]s) を、Go と JavaScript の SDK はキーを使う"},
			text{"delete the keys: sed -i.bak %[3]s %[4]s", "キーを消す: sed -i.bak %[3]s %[4]s"},
		},
		"mfa-serial-no-device": {
			text{"%[1]s is not the ARN of an MFA device", "%[1]s は MFA デバイスの ARN ではない"},
			text{"a device's ARN looks like arn:aws:iam::111111111111:mfa/NAME", "デバイスの ARN は arn:aws:iam::111111111111:mfa/名前 の形をしている"},
			text{"list your devices: aws-switch-role mfa %[2]s", "デバイスの一覧: aws-switch-role mfa %[2]s"},
		},

		// Files.
		"readable-by-others": {
			text{"other users may read this file (mode %[1]s)", "ほかのユーザーがこのファイルを読める (モード %[1]s)"},
			text{"it holds secret keys", "秘密のキーが入っている"},
			text{"chmod 600 %[2]s", "chmod 600 %[2]s"},
		},
		"writable-by-others": {
			text{"other users may write this file (mode %[1]s)", "ほかのユーザーがこのファイルに書ける (モード %[1]s)"},
			text{"it says which programs are run and who you become", "どのプログラムを実行し、誰になるかを決めるファイルである"},
			text{"chmod go-w %[2]s", "chmod go-w %[2]s"},
		},
		"plain-cache": {
			text{"%[1]s keeps %[2]s temporary credentials here in plain text, %[3]s of them still good", "%[1]s が一時的な認証情報を平文で %[2]s 個置いている (うち %[3]s 個はまだ有効)"},
			text{"every program that you run can read them", "実行するどのプログラムからも読める"},
			text{"aws-switch-role doctor --fix removes them; %[1]s makes new ones when it is used", "aws-switch-role doctor --fix で消える。%[1]s を使うとまた作られる"},
		},
		"plain-sign-in": {
			text{"%[1]s keeps %[2]s sign-ins here in plain text, %[3]s of them still good", "%[1]s がサインイン情報を平文で %[2]s 個置いている (うち %[3]s 個はまだ有効)"},
			text{"whoever reads them can make new credentials for as long as they last", "読んだ者は、有効な間は新しい認証情報を作れる"},
			text{"sign out when you are done: aws logout", "使い終わったらサインアウトする: aws logout"},
		},

		// The environment.
		"two-profiles": {
			text{"AWS_PROFILE is %[1]s and AWS_DEFAULT_PROFILE is %[2]s", "AWS_PROFILE は %[1]s、AWS_DEFAULT_PROFILE は %[2]s"},
			text{"the AWS CLI v1 and boto3 take the second, the others the first", "AWS CLI v1 と boto3 は後者を、ほかは前者を使う"},
			text{"unset AWS_DEFAULT_PROFILE", "unset AWS_DEFAULT_PROFILE"},
		},
		"unknown-profile": {
			text{"%[1]s names the profile %[2]s, which is in no file", "%[1]s が指すプロファイル %[2]s はどのファイルにもない"},
			text{"the AWS tools fail, even where keys are in the environment", "環境変数にキーがあっても AWS のツールは失敗する"},
			text{"unset %[1]s", "unset %[1]s"},
		},
		"empty-variable": {
			text{"%[1]s is set and empty", "%[1]s が空の値で設定されている"},
			text{"the AWS CLI takes that for the name of a profile", "AWS CLI はそれをプロファイル名として扱う"},
			text{"unset %[1]s", "unset %[1]s"},
		},
		"keys-over-profile": {
			text{"there are keys in the environment beside the profile %[1]s", "環境変数にプロファイル %[1]s とキーの両方がある"},
			text{"most tools take the keys, the SDK for JavaScript takes the profile", "多くのツールはキーを、JavaScript の SDK はプロファイルを使う"},
			text{"unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN", "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"},
		},
		"half-key": {
			text{"%[1]s is set, and %[2]s is not", "%[1]s はあるが %[2]s がない"},
			text{"half a key opens nothing, and stops the AWS CLI", "片方だけでは使えず、AWS CLI が止まる"},
			text{"set both, or unset %[1]s", "両方を設定するか、unset %[1]s"},
		},
		"lone-token": {
			text{"%[1]s is set, but the key beside it is none that has a token", "%[1]s があるが、対になる一時キーがない"},
			text{"it is left from another session, and AWS refuses the two together", "別のセッションの残りで、一緒に送ると AWS に拒まれる"},
			text{"unset %[1]s", "unset %[1]s"},
		},
		"two-tokens": {
			text{"AWS_SESSION_TOKEN and AWS_SECURITY_TOKEN differ", "AWS_SESSION_TOKEN と AWS_SECURITY_TOKEN が異なる"},
			text{"tools disagree on which counts", "どちらを使うかはツールによる"},
			text{"unset AWS_SECURITY_TOKEN", "unset AWS_SECURITY_TOKEN"},
		},
		"two-regions": {
			text{"AWS_REGION is %[1]s and AWS_DEFAULT_REGION is %[2]s", "AWS_REGION は %[1]s、AWS_DEFAULT_REGION は %[2]s"},
			text{"boto3 and the AWS CLI v1 read only the second, the SDKs only the first", "boto3 と AWS CLI v1 は後者だけを、SDK は前者だけを読む"},
			text{"set both to the same: export AWS_DEFAULT_REGION=%[1]s", "同じ値にする: export AWS_DEFAULT_REGION=%[1]s"},
		},
		"missing-file": {
			text{"%[1]s names %[2]s, which is not there", "%[1]s が指す %[2]s がない"},
			text{"the AWS tools fail, or go on without it", "AWS のツールは失敗するか、それなしで動く"},
			text{"unset %[1]s", "unset %[1]s"},
		},
		"ended-keys": {
			text{"the keys in the environment ended at %[1]s", "環境変数のキーは %[1]s に期限が切れた"},
			text{"AWS refuses them, and the AWS CLI does not try others", "AWS に拒まれ、AWS CLI はほかのキーを試さない"},
			text{"unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CREDENTIAL_EXPIRATION", "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CREDENTIAL_EXPIRATION"},
		},
		"other-endpoint": {
			text{"%[1]s sends requests to %[2]s, which is not AWS's", "%[1]s により、リクエストは AWS ではない %[2]s に送られる"},
			text{"MFA codes and signatures go there, too", "MFA コードや署名もそこへ送られる"},
			text{"if it is not meant: unset %[1]s", "意図したものでなければ unset %[1]s"},
		},

		// Surroundings.
		"clock-off-behind": {
			text{"this machine's clock is %[1]s behind AWS's", "このマシンの時計が AWS より %[1]s 遅れている"},
			text{"it is allowed for here, but AWS refuses what other tools sign more than 5m off", "ここでは補正しているが、ほかのツールの署名は 5 分以上ずれると AWS に拒まれる"},
			text{"set the clock: sudo timedatectl set-ntp true", "時計を合わせる: sudo timedatectl set-ntp true"},
		},
		"clock-off-ahead": {
			text{"this machine's clock is %[1]s ahead of AWS's", "このマシンの時計が AWS より %[1]s 進んでいる"},
			text{"it is allowed for here, but AWS refuses what other tools sign more than 5m off", "ここでは補正しているが、ほかのツールの署名は 5 分以上ずれると AWS に拒まれる"},
			text{"set the clock: sudo timedatectl set-ntp true", "時計を合わせる: sudo timedatectl set-ntp true"},
		},
		"silent-prompt": {
			text{"%[1]s does not show the profile: %[2]s", "%[1]s がプロファイルを表示しない: %[2]s"},
			text{"a switched shell looks like any other", "切り替えたシェルがほかと見分けられない"},
			text{"write %[3]s", "%[3]s と書く"},
		},
		"keyring-chosen":       {what: text{"sessions are sealed under a key in the keyring %[1]s", "セッションはキーリング %[1]s の鍵で封じて保存する"}},
		"keyring-forgets":      {what: text{"sessions are sealed under a key in the keyring %[1]s, which a restart empties: the first switch after it asks for a code again", "セッションはキーリング %[1]s の鍵で封じて保存する。再起動で消えるので、その後の最初の切り替えではまたコードを聞かれる"}},
		"nothing-kept":         {what: text{"no keyring is used, so sessions are not kept: every switch asks for a code", "キーリングを使っていないので、セッションは保存されず、切り替えのたびにコードを聞かれる"}},
		"keyring-passed-over":  {what: text{"the keyring %[1]s was passed over: %[2]s", "キーリング %[1]s は使わなかった: %[2]s"}},
		"region-over-profiles": {what: text{"%[1]s=%[2]s goes before the other regions of profiles (%[3]s of them) for most tools, though not for a switch", "%[1]s=%[2]s は、多くのツールではプロファイルの別のリージョン (%[3]s 個) より優先される (切り替えでは優先されない)"}},
		"keys-over-default":    {what: text{"the keys in the environment go before the profile default: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN if that is not meant", "環境変数のキーが default プロファイルより優先される。意図したものでなければ unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"}},
		"other-file":           {what: text{"%[1]s has %[2]s read instead of the file in ~/.aws", "%[1]s により、~/.aws のファイルの代わりに %[2]s を読む"}},
		"no-secretless":        {what: text{"--secretless is not for this operating system: use serve instead", "この OS では --secretless を使えない。代わりに serve を使う"}},
		"open-memory":          {what: text{"this operating system lets your other programs read the memory of this one with a debugger's rights", "この OS では、デバッガーの権限を持つほかのプログラムからこのプログラムのメモリーを読める"}},
		"open-endpoint":        {what: text{"on this operating system serve cannot tell whose program asks it: its token alone keeps others out", "この OS の serve は誰のプログラムからの要求か区別できず、トークンだけで守られる"}},
		"keyring-out-of-reach": {
			text{"the keyring %[1]s cannot be used: %[2]s", "キーリング %[1]s が使えない: %[2]s"},
			text{"sessions are not kept, so every switch asks for a code", "セッションを保存できないので、切り替えのたびにコードを聞かれる"},
			text{"unset AWS_SWITCH_ROLE_KEYRING, or set it to passphrase", "unset AWS_SWITCH_ROLE_KEYRING するか、passphrase にする"},
		},
	}
})
