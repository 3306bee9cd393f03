package words

import "sync"

// shells explain what goes wrong in a switched shell that has a keeper, and
// with its renewal.
var shells = sync.OnceValue(func() map[string]entry {
	return map[string]entry{
		"shell-ended": {
			what: text{"the session of this shell has ended, its keeper is gone", "このシェルのセッションは終わり、キーパーもいない"},
			next: text{"type exit, then switch again", "exit してから、もう一度切り替える"},
		},
		"shell-code-needed": {
			what: text{"the MFA session has ended", "MFA セッションが終わった"},
			next: text{"type aws-switch-role refresh", "aws-switch-role refresh を実行する"},
		},
		"shell-of-others": {
			what: text{"the credentials are another shell's: this process was not started in it", "認証情報は別のシェルのもので、このプロセスはそのシェルから起動されていない"},
			next: text{"switch here: aws-switch-role PROFILE", "ここで切り替える: aws-switch-role プロファイル"},
		},
		"shell-no-keeper": {
			what: text{"--secretless is not possible on this operating system", "この OS では --secretless を使えない"},
			next: text{"aws-switch-role serve PROFILE gives credentials to programs that have none in their environment", "aws-switch-role serve プロファイル なら、環境変数に何も置かずにプログラムへ認証情報を渡せる"},
		},
		"shell-keeper-fails": {
			what: text{"the keeper of the shell does not start: %[1]s", "シェルのキーパーが起動しない: %[1]s"},
			next: text{"switch without --secretless, or see more with --debug", "--secretless なしで切り替えるか、--debug で詳しく見る"},
		},
		"shell-long-lived": {
			what: text{"a secretless shell hands no long-lived key to its programs", "--secretless のシェルは長期アクセスキーをプログラムに渡さない"},
			next: text{"leave out --no-session, or --secretless", "--no-session か --secretless のどちらかを外す"},
		},
		"shell-other-role": {
			what: text{"profile %[1]s has become another role since this shell was opened: %[2]s", "このシェルを開いたあとで、プロファイル %[1]s のロールが変わった: %[2]s"},
			next: text{"exit, then switch again: aws-switch-role %[1]s", "exit してから、もう一度切り替える: aws-switch-role %[1]s"},
		},
		"shell-protected": {
			what: text{"profile %[1]s is protected, and this shell is another profile's", "プロファイル %[1]s は保護されていて、このシェルは別のプロファイルのもの"},
			next: text{"aws-switch-role %[1]s", "aws-switch-role %[1]s"},
		},
		"shell-other-code": {
			what: text{"profile %[1]s needs an MFA code of %[2]s", "プロファイル %[1]s には %[2]s の MFA コードが必要"},
			next: text{"give it once, then try again: aws-switch-role %[1]s -- true", "一度コードを入れてから、もう一度試す: aws-switch-role %[1]s -- true"},
		},
		"shell-evaluate": {
			what: text{"refresh prints credentials, as code for the shell to evaluate", "refresh は認証情報を、シェルが評価するコードとして出力する"},
			next: text{`eval "$(aws-switch-role refresh)", or once for all: eval "$(aws-switch-role init zsh)"`, `eval "$(aws-switch-role refresh)"、または一度だけ eval "$(aws-switch-role init zsh)" としておく`},
		},
	}
})
