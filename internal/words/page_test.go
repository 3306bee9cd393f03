package words

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the pages for users")

// row is an explanation on the pages. Where it does not say what is wrong
// itself, seen does: the id of a sentence of another package, a code of AWS's
// in backquotes, or text in both languages.
type row struct {
	id   string
	seen any
	args string // what it is about, by number
}

// group is a part of the pages.
type group struct {
	title text
	rows  []row
}

// The pages' groups, in the order in which somebody who begins meets them.
var groups = []group{
	{text{"A profile that cannot be used", "プロファイルが使えない"}, []row{
		{"no-profiles", nil, "CONFIG CREDENTIALS"},
		{"did-you-mean", "unknown-name", "PROFILE"},
		{"no-profile", "unknown-name", "CONFIG CREDENTIALS"},
		{"mend-line", text{"a line of a file cannot be read", "ファイルの行が読めない"}, ""},
		{"mend-profile", text{"a value of a profile is none", "プロファイルの値がおかしい"}, "PROFILE"},
		{"mend-variable", text{"a value of a variable is none", "環境変数の値がおかしい"}, "VARIABLE"},
		{"no-source", "source-not-there", "PROFILE"},
		{"source-loop", "source-loop-of", "A -> B -> A"},
		{"include-loop", "include-loop-of", "A -> B -> A"},
		{"conflict", "two-sources", "PROFILE"},
		{"partial-credentials", "partial", "PROFILE"},
		{"partial-credentials-arn", text{"the same, for a role's ARN", "同じ (ロールの ARN の場合)"}, ""},
		{"partial-key", "secret-missing", "KEY PROFILE"},
		{"missing-key", "sso-incomplete", "KEY PROFILE"},
		{"no-credentials", "nothing-to-start-from", "PROFILE"},
		{"no-environment-keys", "environment-has-no", "PROFILE"},
		{"left-environment-keys", "environment-is-role", "PROFILE"},
		{"chained-duration", "chained-length", ""},
		{"fido-device", "fido", ""},
		{"not-a-container", "container-nowhere", ""},
		{"own-process", "process-is-us", ""},
		{"look-at-file", text{"a file cannot be read or written", "ファイルを読み書きできない"}, "FILE"},
		{"usage", text{"the command line makes no sense", "コマンドラインがおかしい"}, "'aws-switch-role COMMAND'"},
		{"name-profile", text{"no profile was named", "プロファイルが指定されていない"}, ""},
		{"list-shows", text{"no profile matches", "一致するプロファイルがない"}, ""},
		{"files-read", text{"the profile has no key in the AWS files", "プロファイルのキーが AWS のファイルにない"}, "CONFIG CREDENTIALS"},
	}},
	{text{"MFA codes and questions", "MFA コードと確認"}, []row{
		{"code-wrong", "code-refused", "DEVICE 20s PROFILE"},
		{"nobody-to-ask", "nobody-there", "PROFILE"},
		{"may-not-ask", "asking-forbidden", "--no-input"},
		{"cannot-confirm", text{"a confirmation is needed, and there is nobody to ask", "確認が必要だが、尋ねる相手がいない"}, ""},
		{"cannot-ask", text{"an answer is needed, and there is nobody to ask", "答えが必要だが、尋ねる相手がいない"}, "--FLAG"},
		{"type-the-name", "wrong-name", ""},
		{"asked-apart", text{"a program in a switched shell needs another profile's code", "切り替えたシェルのプログラムに、別のプロファイルのコードが必要"}, "PROFILE"},
		{"confirmed-apart", text{"a program in a switched shell needs a confirmation", "切り替えたシェルのプログラムに、確認が必要"}, "PROFILE"},
		{"helper", "helper-failed", "PROFILE"},
		{"mfa-not-the-users", "`AccessDenied`", "PROFILE"},
		{"mfa-with-temporary-keys", "`AccessDenied`", ""},
		{"no-user", "devices-of-no-user", ""},
		{"no-usable-device", text{"the user has no MFA device that STS can use", "ユーザーに STS で使える MFA デバイスがない"}, ""},
		{"other-device", text{"the device is not one of the user's, or of no use", "ユーザーのデバイスではないか、使えない"}, "PROFILE"},
		{"device-to-write", text{"the role is denied, and the profile names no device", "ロールを拒まれ、プロファイルにデバイスがない"}, "DEVICE PROFILE …"},
		{"device-to-pass", text{"the same, for a role's ARN", "同じ (ロールの ARN の場合)"}, "DEVICE PROFILE …"},
		{"held", text{"another process is waited for in vain", "別のプロセスを待ったが終わらない"}, "PID"},
		{"held-by-nobody", text{"the same, and which one is not known", "同じ (どのプロセスかわからない)"}, ""},
	}},
	{text{"AWS says no", "AWS に拒まれる"}, []row{
		{"denied", "`AccessDenied`", "PROFILE CALLER ROLE …"},
		{"not-trusted", "`AccessDenied … no role trust policy allows`", "PROFILE CALLER"},
		{"not-allowed-to-assume", "`AccessDenied … no identity-based policy allows`", "PROFILE CALLER"},
		{"not-in-the-policy", "`AccessDenied … because no POLICY allows`", "PROFILE CALLER ROLE POLICY"},
		{"explicitly-denied", "`AccessDenied … with an explicit deny`", "PROFILE CALLER ROLE POLICY"},
		{"tags-not-allowed", "`AccessDenied … sts:TagSession`", "PROFILE"},
		{"source-identity-not-allowed", "`AccessDenied … sts:SetSourceIdentity`", "PROFILE"},
		{"web-identity-not-trusted", "`AccessDenied … sts:AssumeRoleWithWebIdentity`", ""},
		{"federation-denied", "`AccessDenied … sts:GetFederationToken`", ""},
		{"sts-denied", "`AccessDenied … sts:ACTION`", "ACTION"},
		{"iam-denied", "`AccessDenied … iam:ACTION`", "ACTION"},
		{"iam-without-mfa", text{"`InvalidClientTokenId`, of IAM", "`InvalidClientTokenId` (IAM)"}, ""},
		{"key-unknown", "`InvalidClientTokenId`", "PROFILE PROFILE REGION …"},
		{"key-unknown-there", text{"`InvalidClientTokenId`, in a region that is to be enabled", "`InvalidClientTokenId` (有効化が必要なリージョン)"}, "PROFILE PROFILE REGION …"},
		{"endpoint-set", text{"the same, of an endpoint that is not AWS's", "同じ (AWS のものではないエンドポイント)"}, "HOST VARIABLE COMMAND"},
		{"secret-wrong", "`SignatureDoesNotMatch`", "PROFILE PROFILE"},
		{"clock-behind", "`SignatureDoesNotMatch … Signature expired`", "7m"},
		{"clock-ahead", "`SignatureDoesNotMatch … Signature not yet current`", "7m"},
		{"clock-off", text{"the same, and by how much is not known", "同じ (ずれの大きさがわからない)"}, ""},
		{"base-ended", "`ExpiredToken`", "PROFILE"},
		{"region-off", "`RegionDisabledException`", "PROFILE PROFILE REGION"},
		{"over-maximum", "`ValidationError … MaxSessionDuration`", ""},
		{"over-chained", "`ValidationError … role chaining`", ""},
		{"packed-too-large", "`PackedPolicyTooLarge`", ""},
		{"busy", "`Throttling`", "PROFILE"},
		{"busy-mfa", text{"`Throttling`, with a code", "`Throttling` (コードを送ったとき)"}, "PROFILE PROFILE 20s"},
		{"identity-token-refused", "`InvalidIdentityToken`", ""},
		{"identity-token-ended", "`ExpiredTokenException`", "PROFILE"},
		{"identity-provider-out", "`IDPCommunicationError`", "PROFILE"},
		{"sso-not-given", "`ForbiddenException`", "ROLE ACCOUNT URL PROFILE"},
		{"sso-nowhere", "`InvalidRequestException`", ""},
		{"login-not-renewable", "`INSUFFICIENT_PERMISSIONS`", "PROFILE PROFILE"},
		{"console-refused", nil, "HOST"},
	}},
	{text{"A denial without a reason", "理由のない拒否"}, []row{
		{"cause-no-mfa", nil, "PROFILE"},
		{"cause-mfa-old", nil, "PROFILE"},
		{"cause-mfa-lost", nil, "PROFILE"},
		{"cause-no-external-id", nil, "PROFILE"},
		{"cause-other-external-id", nil, "PROFILE"},
		{"cause-not-trusted", nil, "PROFILE ROLE_ARN ROLE CALLER"},
		{"cause-no-permission", nil, "PROFILE ROLE_ARN ROLE CALLER"},
		{"cause-no-role", nil, "PROFILE ROLE_ARN ROLE CALLER"},
		{"cause-other-endpoint", nil, "PROFILE PROFILE REGION KEY_ID REGION COMMAND"},
		{"cause-region-not-enabled", nil, "PROFILE PROFILE REGION"},
		{"cause-key-inactive", nil, "PROFILE PROFILE REGION KEY_ID"},
		{"cause-key-deleted", nil, "PROFILE PROFILE REGION KEY_ID"},
		{"cause-key-elsewhere", nil, "PROFILE PROFILE REGION KEY_ID REGION"},
		{"cause-tokens-mixed", nil, "PROFILE"},
		{"cause-session-revoked", nil, "PROFILE"},
	}},
	{text{"The network", "ネットワーク"}, []row{
		{"no-such-host", nil, "HOST … PROFILE"},
		{"nobody-listens", nil, "HOST … PROFILE"},
		{"too-slow", nil, "HOST … PROFILE"},
		{"hung-up", nil, "HOST … PROFILE"},
		{"no-answer", nil, "HOST … PROFILE"},
		{"certificate", nil, "HOST ISSUER"},
		{"not-aws", nil, "HOST ACTION … PROFILE"},
		{"ended-on-arrival", nil, "HOST ACTION …"},
	}},
	{text{"Where keys come from", "キーの出どころ"}, []row{
		{"sign-in-session", "sign-in-ended", "SESSION"},
		{"sign-in-profile", text{"the same, of an older profile", "同じ (古い形式のプロファイル)"}, "PROFILE"},
		{"sign-in-login", text{"the sign-in of aws login has ended", "aws login のサインインの期限が切れた"}, "PROFILE"},
		{"share-sign-in", text{"there is no keyring to seal a sign-in with", "サインインを封じるキーリングがない"}, ""},
		{"process-missing", "process-no-command", "PROFILE"},
		{"process-no-exec", "process-unrunnable", ""},
		{"process-failed", "process-ended-badly", "PROFILE"},
		{"process-slow", "process-endless", "PROFILE"},
		{"process-loop", "process-back", "PROFILE"},
		{"no-instance", text{"the EC2 metadata service does not answer", "EC2 のメタデータサービスが応答しない"}, ""},
		{"instance-closed", text{"the EC2 metadata service refuses", "EC2 のメタデータサービスが拒む"}, "PROFILE"},
		{"no-role-there", "instance-no-role", ""},
		{"no-container", text{"the container's endpoint does not answer", "コンテナのエンドポイントが応答しない"}, ""},
		{"container-token", text{"the container's endpoint refuses", "コンテナのエンドポイントが拒む"}, "PROFILE"},
		{"service-failed", text{"such a service answers with something else", "それらのサービスの応答がおかしい"}, "PROFILE"},
		{"no-token", "token-file-empty", "PROFILE"},
		{"envchain-namespace", nil, "NAMESPACE"},
		{"envchain-set-one", text{"envchain's namespace lacks one of the two", "envchain の名前空間に片方しかない"}, "NAMESPACE VARIABLE"},
	}},
	{text{"Keys and keyrings", "キーとキーリング"}, []row{
		{"keyring-locked", text{"the keyring is locked", "キーリングがロックされている"}, ""},
		{"keyring-dismissed", text{"the keyring's question was dismissed", "キーリングの確認が取り消された"}, ""},
		{"keyring-none", text{"no keyring can be used", "使えるキーリングがない"}, ""},
		{"passphrase-wrong", text{"the passphrase is wrong, or too short", "パスフレーズが違うか、短すぎる"}, ""},
		{"key-not-there", text{"a key is not in the keyring", "キーがキーリングにない"}, "NAME"},
		{"key-gone", text{"a key is not in the keyring any more", "キーがキーリングからなくなっている"}, "NAME KEYRING DATE"},
		{"index-broken", text{"the file that tells which keys are stored cannot be read", "どのキーがあるかを記したファイルが読めない"}, "FILE"},
		{"key-on-stdin", text{"a key is needed, and there is nobody to ask", "キーが必要だが、尋ねる相手がいない"}, "NAME"},
		{"key-exists", text{"there is a key of that name", "その名前のキーがすでにある"}, "NAME"},
		{"try-again", text{"the key was changed meanwhile", "その間にキーが変わった"}, ""},
		{"key-not-accepted", text{"AWS does not take the new key yet", "AWS が新しいキーをまだ受け付けない"}, "NAME"},
		{"second-key-active", text{"the user has a second key, which leaves no room for a new one", "ユーザーに 2 つ目のキーがあり、新しいキーを作れない"}, "NAME DATE KEY_ID"},
		{"second-key-inactive", text{"the same", "同じ"}, "NAME DATE KEY_ID"},
		{"no-device", text{"the user's devices cannot be listed", "ユーザーのデバイスを一覧できない"}, "NAME"},
	}},
	{text{"Writing profiles", "プロファイルを書く"}, []row{
		{"profile-exists", text{"there is a profile of that name", "その名前のプロファイルがすでにある"}, "NAME"},
		{"profile-is-key", text{"there is a key of that name", "その名前のキーがすでにある"}, "NAME"},
		{"profile-misplaced", text{"there is a section of that name, which is no profile's", "その名前の、プロファイルではないセクションがある"}, ""},
		{"no-base", text{"no profile holds a key, or signs in, to start from", "起点になるキーやサインインがどのプロファイルにもない"}, ""},
	}},
	{text{"Switched shells, commands and the console", "切り替えたシェル、コマンド、コンソール"}, []row{
		{"no-such-command", text{"the command is not found", "コマンドが見つからない"}, ""},
		{"no-program", text{"the command cannot be run", "コマンドを実行できない"}, ""},
		{"open-one", text{"this is no switched shell", "切り替えたシェルではない"}, ""},
		{"no-switched-shell", text{"the files of the switched shell are gone", "切り替えたシェルのファイルがない"}, ""},
		{"long-lived-key", text{"a long-lived key is not handed on this way", "長期キーはこの方法では渡さない"}, ""},
		{"other-port", text{"the port cannot be served on", "そのポートで待ち受けられない"}, ""},
		{"shell-ended", nil, ""},
		{"shell-code-needed", nil, ""},
		{"shell-of-others", nil, ""},
		{"shell-no-keeper", nil, ""},
		{"shell-keeper-fails", nil, "…"},
		{"shell-long-lived", nil, ""},
		{"shell-other-role", nil, "PROFILE ROLE"},
		{"shell-protected", nil, "PROFILE"},
		{"shell-other-code", nil, "PROFILE DEVICE"},
		{"shell-evaluate", nil, ""},
		{"no-role-to-switch-to", text{"the profile assumes no role for the console to switch to", "コンソールで切り替えるロールがない"}, "PROFILE"},
		{"user-session", text{"the console does not take a user's session", "コンソールはユーザーのセッションを受け付けない"}, ""},
		{"no-browser", text{"there is no browser", "ブラウザーがない"}, ""},
		{"browser-failed", text{"the browser fails", "ブラウザーが失敗する"}, ""},
		{"browser-stays-away", text{"the browser does not come", "ブラウザーが来ない"}, ""},
		{"look-closer", text{"anything else", "そのほか"}, ""},
	}},
	{text{"What doctor finds in the files", "doctor がファイルに見つけるもの"}, []row{
		{"unplannable", text{"what stands in the first table", "最初の表にあるもの"}, ""},
		{"unreadable-line", text{"a line of a file cannot be read", "ファイルの行が読めない"}, ""},
		{"key-typo", nil, "KEY OTHER"},
		{"shadowed-key", nil, "KEY FILE:LINE LINE FILE"},
		{"idle-keys", nil, "FILE:LINE LINES FILE"},
		{"idle-process", nil, "FILE:LINE LINE FILE"},
		{"keys-beside-sign-in", nil, "KEY FILE:LINE LINES FILE"},
		{"trailing-comment", nil, "SECTION KEY 'KEY = VALUE'"},
		{"nested-comment", nil, "SECTION KEY 'KEY = VALUE'"},
		{"continued-value", nil, "SECTION KEY 'KEY = VALUE'"},
		{"colon-separator", nil, "SECTION KEY 'KEY = VALUE'"},
		{"quoted-value", nil, "SECTION KEY 'KEY = VALUE'"},
		{"quoted-name", nil, "SECTION KEY '[profile NAME]'"},
		{"capital-key", nil, "SECTION KEY 'key = VALUE'"},
		{"nested-capital", nil, "SECTION KEY 'key = VALUE'"},
		{"padded-header", nil, "SECTION KEY [SECTION]"},
		{"stray-section", nil, "SECTION KEY '[profile NAME]'"},
		{"inherited-section", nil, "SECTION"},
		{"two-defaults", nil, "SECTION KEY … LINE"},
		{"second-section", nil, "SECTION KEY … LINE"},
		{"second-key", nil, "SECTION KEY … LINE FILE"},
		{"no-setting", nil, ""},
		{"headless-line", nil, ""},
		{"byte-order-mark", nil, ""},
		{"not-utf8", nil, "SECTION KEY … LINE FILE"},
		{"mfa-serial-no-device", nil, "VALUE PROFILE"},
		{"plain-key", nil, "KEY_ID PROFILE"},
		{"key-in-both", nil, "KEY_ID PROFILE"},
		{"readable-by-others", nil, "MODE FILE"},
		{"writable-by-others", nil, "MODE FILE"},
		{"plain-cache", nil, "PROGRAM N M"},
		{"plain-sign-in", nil, "PROGRAM N M"},
	}},
	{text{"What doctor finds in the environment and on the machine", "doctor が環境とマシンに見つけるもの"}, []row{
		{"two-profiles", nil, "A B"},
		{"unknown-profile", nil, "VARIABLE PROFILE"},
		{"empty-variable", nil, "VARIABLE"},
		{"missing-file", nil, "VARIABLE FILE"},
		{"keys-over-profile", nil, "PROFILE"},
		{"ended-keys", nil, "TIME"},
		{"half-key", nil, "VARIABLE OTHER"},
		{"lone-token", nil, "VARIABLE"},
		{"two-tokens", nil, ""},
		{"two-regions", nil, "A B"},
		{"other-endpoint", nil, "VARIABLE URL"},
		{"clock-off-behind", nil, "7m"},
		{"clock-off-ahead", nil, "7m"},
		{"silent-prompt", nil, "THEME SETTING SETTING"},
		{"keyring-out-of-reach", nil, "KEYRING …"},
		{"keyring-chosen", nil, "KEYRING"},
		{"keyring-forgets", nil, "KEYRING"},
		{"keyring-passed-over", nil, "KEYRING …"},
		{"nothing-kept", nil, ""},
		{"region-over-profiles", nil, "VARIABLE REGION N"},
		{"keys-over-default", nil, ""},
		{"other-file", nil, "VARIABLE FILE"},
		{"no-secretless", nil, ""},
		{"open-memory", nil, ""},
		{"open-endpoint", nil, ""},
	}},
}

// parts are explanations that only stand within others.
var parts = map[string]bool{"cause-this-caller": true, "said-by-aws": true, "process-said": true, "code-may-be-used": true,
	"denied-here": true, "key-unknown-here": true, "key-unknown-there-here": true}

// TestPages holds the pages for users to the catalogue.
func TestPages(t *testing.T) {
	entries := map[string]entry{}
	for _, part := range catalogue {
		for id, e := range part() {
			entries[id] = e
		}
	}
	english := englishMessages(t)
	seen := map[string]bool{}
	for _, p := range []struct {
		file  string
		l     Language
		intro string
		head  string
	}{
		{"troubleshooting.md", English, `# Troubleshooting

[日本語](troubleshooting.ja.md)

What the program says, why, and what helps: all that its explanations know. It says so itself, on two or three lines,
with the names of your profiles in place of the capitals here. To find out more:

` + "```sh" + `
aws-switch-role doctor                       # what is wrong with the files and the environment
aws-switch-role doctor tempsession --online  # where a chain breaks, and why
aws-switch-role explain tempsession          # every hop, value and line
aws-switch-role tempsession --debug -- true  # every step, and no secret
` + "```\n", "| it says | because | what helps |"},
		{"troubleshooting.ja.md", Japanese, `# 困ったときは

[English](troubleshooting.md)

プログラムが何を言い、それはなぜで、どうすればよいか。説明のすべてです。同じことはプログラム自身が 2、3
行で言います (ここで大文字のところには、実際の名前が入ります)。さらに調べるには:

` + "```sh" + `
aws-switch-role doctor                       # ファイルと環境の問題点
aws-switch-role doctor tempsession --online  # 連鎖のどこが、なぜ切れるか
aws-switch-role explain tempsession          # すべてのホップ、値、行
aws-switch-role tempsession --debug -- true  # すべての手順 (秘密は出ない)
` + "```\n", "| 表示 | 理由 | 対処 |"},
	} {
		var b strings.Builder
		b.WriteString(p.intro)
		for _, g := range groups {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n| --- | --- | --- |\n", g.title.in(p.l, nil), p.head)
			for _, r := range g.rows {
				e, ok := entries[r.id]
				if !ok {
					t.Errorf("the pages have %s, which is no explanation", r.id)
					continue
				}
				if p.l == English && seen[r.id] {
					t.Errorf("the pages have %s twice", r.id)
				}
				seen[r.id] = true
				args := placeholders(r.args)
				for _, x := range []text{e.what, e.why, e.next} {
					if n := highest(x); n > len(args) {
						t.Errorf("%s is about %d things, and the pages name %d", r.id, n, len(args))
						return
					}
				}
				fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(r.shown(t, e, p.l, english, args)), cell(e.why.in(p.l, args)), cell(e.next.in(p.l, args)))
			}
		}
		file := "../../doc/" + p.file
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		old, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := gocmp.Diff(string(old), b.String()); d != "" {
			t.Errorf("doc/%s is not what the catalogue says, and go test ./internal/words -update rewrites it (-page +catalogue):\n%s", p.file, d)
		}
	}
	for id := range entries {
		if !seen[id] && !parts[id] {
			t.Errorf("%s is on no page", id)
		}
	}
}

// shown is what a person sees of a problem.
func (r row) shown(t *testing.T, e entry, l Language, english map[string]string, args []any) string {
	t.Helper()
	switch s := r.seen.(type) {
	case nil:
		if e.what == (text{}) {
			t.Errorf("what does somebody see of %s?", r.id)
		}
		return e.what.in(l, args)
	case text:
		return s.in(l, nil)
	case string:
		if strings.HasPrefix(s, "`") {
			return s
		}
		m := text{english[s], messages()[s]}
		if m.en == "" {
			t.Errorf("%s: nobody says %s", r.id, s)
		}
		// What those are about is seen on the spot.
		if l == Japanese {
			return verb.ReplaceAllString(m.ja, "…")
		}
		return verb.ReplaceAllString(m.en, "…")
	}
	t.Errorf("%s: %v", r.id, r.seen)
	return ""
}

// placeholders are the names of what an explanation is about, in quotes where
// there is a blank in one.
func placeholders(names string) (args []any) {
	if strings.Contains(names, "->") {
		return []any{names}
	}
	for names != "" {
		var n string
		if quoted, ok := strings.CutPrefix(names, "'"); ok {
			n, names, _ = strings.Cut(quoted, "'")
		} else {
			n, names, _ = strings.Cut(names, " ")
		}
		args = append(args, n)
		names = strings.TrimSpace(names)
	}
	return args
}

// highest is the highest number of a verb in a sentence.
func highest(x text) (n int) {
	for i := 1; i <= 9; i++ {
		if strings.Contains(x.en, fmt.Sprintf("%%[%d]", i)) {
			n = i
		}
	}
	return n
}

// cell is text that may stand in a cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`).Replace(s)
}
