package words

import "sync"

// hints say what to do about a profile that cannot be planned, a key or a
// keyring that cannot be used. What is wrong is said by the error itself.
var hints = sync.OnceValue(func() map[string]entry {
	return map[string]entry{
		"usage":        {next: text{"%[1]s --help shows how", "使い方は %[1]s --help"}},
		"name-profile": {next: text{"aws-switch-role list shows what there is: name one, or type aws-switch-role on a terminal to pick one", "aws-switch-role list で一覧を見て指定するか、端末で aws-switch-role と打って選ぶ"}},
		"mend-line":    {next: text{"mend that line, then look again: aws-switch-role doctor; nothing else of the file is in the way", "その行を直し、もう一度確かめる: aws-switch-role doctor。ファイルのほかの部分に問題はない"}},
		"did-you-mean": {next: text{"did you mean %[1]s?", "%[1]s のつもりでは?"}},
		"files-read":   {next: text{"the files read are %[1]s and %[2]s; examine them: aws-switch-role doctor", "読んだファイルは %[1]s と %[2]s。調べる: aws-switch-role doctor"}},
		"no-profile":   {next: text{"the files read are %[1]s and %[2]s: see what is in them (aws-switch-role list), or add it: aws-switch-role profile add NAME", "読んだファイルは %[1]s と %[2]s。中身を見る (aws-switch-role list) か、加える: aws-switch-role profile add 名前"}},
		"no-profiles":  {what: text{"no profiles in %[1]s and %[2]s", "%[1]s と %[2]s にプロファイルがない"}, next: text{"write one: aws-switch-role profile add NAME; or see how it works first: aws-switch-role demo", "書く: aws-switch-role profile add 名前。先に試す: aws-switch-role demo"}},
		"no-source":    {next: text{"add a section for %[1]s, or name another there; then look again: aws-switch-role doctor", "%[1]s のセクションを加えるか、別の名前を書く。そのあと確かめる: aws-switch-role doctor"}},
		"partial-credentials": {
			why:  text{"and the environment holds no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to start from", "起点になる AWS_ACCESS_KEY_ID と AWS_SECRET_ACCESS_KEY も環境変数にない"},
			next: text{"add source_profile = NAME to the profile, pass --source-profile NAME, or bring the keys along: envchain NAMESPACE aws-switch-role %[1]s", "プロファイルに source_profile = 名前 を加えるか、--source-profile で指定するか、キーを持ち込む: envchain 名前空間 aws-switch-role %[1]s"},
		},
		"partial-credentials-arn": {
			why:  text{"and the environment holds no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to start from", "起点になる AWS_ACCESS_KEY_ID と AWS_SECRET_ACCESS_KEY も環境変数にない"},
			next: text{"pass --source-profile NAME, or bring the keys along: envchain NAMESPACE aws-switch-role ROLE_ARN", "--source-profile で指定するか、キーを持ち込む: envchain 名前空間 aws-switch-role ROLE_ARN"},
		},
		"partial-key":           {next: text{"add %[1]s to the same section, or set both: aws configure --profile %[2]s", "同じセクションに %[1]s を加えるか、両方を設定する: aws configure --profile %[2]s"}},
		"missing-key":           {next: text{"add %[1]s = VALUE to that section, or have all of them written: aws configure sso --profile %[2]s", "そのセクションに %[1]s = 値 を加えるか、まとめて書かせる: aws configure sso --profile %[2]s"}},
		"no-credentials":        {next: text{"give it keys (aws configure --profile %[1]s), a role_arn, or keys in the environment", "キー (aws configure --profile %[1]s) か role_arn、または環境変数のキーを与える"}},
		"no-environment-keys":   {next: text{"envchain NAMESPACE aws-switch-role %[1]s, or export the two variables first", "envchain 名前空間 aws-switch-role %[1]s とするか、先に 2 つの変数を export する"}},
		"left-environment-keys": {next: text{"leave this shell first (exit), or bring the keys along again: envchain NAMESPACE aws-switch-role %[1]s", "先にこのシェルを出る (exit) か、キーを持ち込み直す: envchain 名前空間 aws-switch-role %[1]s"}},
		"source-loop": {
			why:  text{"the way round: %[1]s", "一周の道筋: %[1]s"},
			next: text{"one of them must have keys of its own, or another source_profile = NAME", "どれかに自分のキーか、別の source_profile = 名前 を設定する"},
		},
		"include-loop": {
			why:  text{"the way round: %[1]s", "一周の道筋: %[1]s"},
			next: text{"take one include_profile out, then look again: aws-switch-role doctor", "include_profile をひとつ外し、もう一度確かめる: aws-switch-role doctor"},
		},
		"conflict":         {next: text{"keep the one that is meant; what follows from which: aws-switch-role explain %[1]s", "必要なほうだけを残す。どうなるかを見る: aws-switch-role explain %[1]s"}},
		"chained-duration": {next: text{"ask for --duration 1h or max, or set duration_seconds = 3600; the session is renewed without a code", "--duration 1h か max にするか、duration_seconds = 3600 にする。セッションはコードなしで更新される"}},
		"fido-device":      {next: text{"register an authenticator app as a second MFA device in the IAM console, and name it: mfa_serial = arn:aws:iam::ACCOUNT:mfa/NAME", "IAM コンソールで認証アプリを 2 つ目の MFA デバイスに登録し、mfa_serial = arn:aws:iam::ACCOUNT:mfa/NAME と書く"}},
		"not-a-container":  {next: text{"run it in the container, or give the profile another source: source_profile = NAME", "コンテナの中で実行するか、別の起点を設定する: source_profile = 名前"}},
		"own-process":      {next: text{"give the profile keys or a role, or name another there: credential_process = aws-switch-role credential-process NAME", "プロファイルにキーかロールを設定するか、別のものを書く: credential_process = aws-switch-role credential-process 名前"}},

		// Nobody to ask.
		"nobody-to-ask":     {next: text{"run aws-switch-role %[1]s on a terminal, pass --mfa-code CODE, or set mfa_process or AWS_SWITCH_ROLE_ASKPASS", "端末で aws-switch-role %[1]s を実行するか、--mfa-code コード を渡すか、mfa_process か AWS_SWITCH_ROLE_ASKPASS を設定する"}},
		"may-not-ask":       {next: text{"leave %[1]s out, pass --mfa-code CODE, or set mfa_process in the profile", "%[1]s を外すか、--mfa-code コード を渡すか、プロファイルに mfa_process を設定する"}},
		"cannot-confirm":    {next: text{"run it on a terminal without --no-input, or pass --yes", "端末で --no-input なしで実行するか、--yes をつける"}},
		"asked-apart":       {next: text{"type aws-switch-role %[1]s -- true, which asks for it, then try again", "aws-switch-role %[1]s -- true を実行して入力してから、もう一度試す"}},
		"confirmed-apart":   {next: text{"switch to it by itself: aws-switch-role %[1]s", "それ自体に切り替える: aws-switch-role %[1]s"}},
		"no-switched-shell": {next: text{"unset AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or run it in the switched shell", "AWS_CONFIG_FILE と AWS_SHARED_CREDENTIALS_FILE を unset するか、切り替えたシェルの中で実行する"}},
		"no-such-command":   {next: text{"is it on the PATH? a shell's alias or function is not; open the role's shell to use those: aws-switch-role PROFILE", "PATH にあるか。エイリアスや関数はロールのシェルで使う: aws-switch-role プロファイル"}},
		"no-program":        {next: text{"it must be a program that may be run: chmod +x FILE, or aws-switch-role PROFILE -- sh FILE", "実行できるプログラムにする: chmod +x ファイル、または aws-switch-role プロファイル -- sh ファイル"}},
		"type-the-name":     {next: text{"type it letter by letter, or pass --yes", "正確に入力するか、--yes をつける"}},
		"helper":            {next: text{"see its line, and try it by hand: aws-switch-role explain %[1]s; or pass --mfa-code CODE", "その行を見て手で試す: aws-switch-role explain %[1]s。または --mfa-code コード を渡す"}},
		"mend-profile":      {next: text{"mend that line, then look again: aws-switch-role doctor %[1]s", "その行を直し、もう一度確かめる: aws-switch-role doctor %[1]s"}},
		"mend-variable":     {next: text{"set it right, or: unset %[1]s", "正しく設定するか、unset %[1]s"}},
		"look-at-file":      {next: text{"is the path right, and does its mode let you at it? ls -ld %[1]s", "パスは正しく、使えるモードか: ls -ld %[1]s"}},
		"index-broken":      {next: text{"the keys themselves are in the keyring: put the file aside (mv %[1]s %[1]s.old), then store them again: aws-switch-role keys add NAME", "キーそのものはキーリングにある。ファイルをよけて (mv %[1]s %[1]s.old) 登録し直す: aws-switch-role keys add 名前"}},
		"look-closer":       {next: text{"--debug shows every step; examine the files and this machine: aws-switch-role doctor", "--debug で経過が見える。ファイルとこのマシンを調べる: aws-switch-role doctor"}},
		"open-one":          {next: text{"open one: aws-switch-role PROFILE", "開く: aws-switch-role プロファイル"}},
		"long-lived-key":    {next: text{"give the profile a role_arn, or hand the key on by another way: aws-switch-role export --help", "プロファイルに role_arn を設定するか、別の方法で渡す: aws-switch-role export --help"}},
		"other-port":        {next: text{"choose another --port, or leave it out", "別の --port にするか、指定しない"}},
		"list-shows":        {next: text{"aws-switch-role list shows all", "すべてを見る: aws-switch-role list"}},

		// A lock of another process. 1 is its id.
		"held":           {next: text{"try again when it is done; if it asks for something, answer it, or end it: kill %[1]s", "終わってからやり直す。何かを尋ねて待っているなら、それに答えるか終了させる: kill %[1]s"}},
		"held-by-nobody": {next: text{"try again when it is done; --debug says what is waited for", "終わってからやり直す。何を待っているかは --debug に出る"}},

		// The console. 1 is the profile.
		"no-role-to-switch-to": {next: text{"sign in instead: aws-switch-role console %[1]s", "代わりにサインインする: aws-switch-role console %[1]s"}},
		"user-session": {
			why:  text{"it takes a role's, and a federated user's that is made with a long-lived key", "コンソールが受け付けるのは、ロールのセッションと、長期キーで作るフェデレーションユーザーのセッション"},
			next: text{"name a role to assume, role_arn = ARN, or give the profile the user's long-lived key", "引き受けるロールを role_arn = ARN で指定するか、プロファイルにユーザーの長期キーを設定する"},
		},
		"no-browser":         {next: text{"name one with --browser or BROWSER, or let the URL be printed: --print", "--browser か BROWSER で指定するか、--print で URL を表示する"}},
		"browser-failed":     {next: text{"--debug shows what it says; --browser names another, and --print writes the URL instead", "--debug でその出力が見える。--browser で別のものを指定するか、--print で URL を表示する"}},
		"browser-stays-away": {next: text{"--browser names another, and --print writes the URL instead", "--browser で別のものを指定するか、--print で URL を表示する"}},

		// Keys and keyrings. 1 is the key's name.
		"second-key-active":   {why: text{"AWS has it since %[2]s, and it is active", "%[2]s から AWS にあり、有効"}, next: text{"if nothing uses it: aws iam delete-access-key --access-key-id %[3]s", "使われていなければ: aws iam delete-access-key --access-key-id %[3]s"}},
		"second-key-inactive": {why: text{"AWS has it since %[2]s, and it is inactive", "%[2]s から AWS にあり、無効"}, next: text{"delete it on the way: aws-switch-role keys rotate %[1]s --delete-inactive", "ついでに消す: aws-switch-role keys rotate %[1]s --delete-inactive"}},
		"no-device":           {why: text{"the user's policy does not allow it, or only with MFA, and no profile names the device", "ユーザーのポリシーが許していないか、MFA が必要なのにデバイスを指すプロファイルがない"}, next: text{"try again with --mfa-serial ARN, or set mfa_serial in [profile %[1]s]", "--mfa-serial ARN をつけるか、[profile %[1]s] に mfa_serial を設定する"}},
		"key-on-stdin":        {next: text{"pass it on stdin: aws-switch-role keys add %[1]s --stdin", "標準入力で渡す: aws-switch-role keys add %[1]s --stdin"}},
		"key-exists":          {next: text{"pass --force to replace it, or change it for a new one: aws-switch-role keys rotate %[1]s", "--force で置き換えるか、新しいキーに替える: aws-switch-role keys rotate %[1]s"}},
		"key-not-accepted":    {next: text{"the old key is still in use; go on in a moment: aws-switch-role keys rotate %[1]s", "古いキーがまだ使われている。少し待って続ける: aws-switch-role keys rotate %[1]s"}},
		"try-again":           {next: text{"try again; what is kept: aws-switch-role keys list", "もう一度試す。保存されているもの: aws-switch-role keys list"}},
		"key-not-there":       {next: text{"see aws-switch-role keys list, and store it with: aws-switch-role keys add %[1]s", "aws-switch-role keys list を見て、保存する: aws-switch-role keys add %[1]s"}},
		"key-gone": {
			why:  text{"it was stored in the keyring %[2]s on %[3]s", "%[3]s にキーリング %[2]s に保存された"},
			next: text{"is that the keyring of AWS_SWITCH_ROLE_KEYRING? else store it again: aws-switch-role keys add %[1]s --force", "AWS_SWITCH_ROLE_KEYRING のキーリングと同じか。違えば保存し直す: aws-switch-role keys add %[1]s --force"},
		},
		"envchain-set-one":   {next: text{"envchain --set %[1]s %[2]s", "保存する: envchain --set %[1]s %[2]s"}},
		"envchain-namespace": {text{"envchain has no namespace %[1]s with an AWS key in it", "envchain に AWS のキーを持つ名前空間 %[1]s がない"}, text{}, text{"envchain --set %[1]s AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY", "保存する: envchain --set %[1]s AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"}},
		"share-sign-in":      {next: text{"--share keeps the sign-in in the AWS CLI's cache, as plain text", "--share なら AWS CLI のキャッシュに平文で保存する"}},
		"keyring-locked":     {next: text{"unlock it where you are logged in to the desktop, run this on a terminal, or keep keys elsewhere: AWS_SWITCH_ROLE_KEYRING=passphrase", "ログイン中のデスクトップで解錠するか、端末で実行するか、別の場所に保存する: AWS_SWITCH_ROLE_KEYRING=passphrase"}},
		"keyring-dismissed":  {next: text{"try again, and let it be unlocked; or keep keys elsewhere: AWS_SWITCH_ROLE_KEYRING=passphrase", "もう一度試し、解錠を許す。または別の場所に保存する: AWS_SWITCH_ROLE_KEYRING=passphrase"}},
		"passphrase-wrong":   {next: text{"try again with another, on the terminal or in AWS_SWITCH_ROLE_PASSPHRASE=…", "別のパスフレーズで試す。端末か AWS_SWITCH_ROLE_PASSPHRASE=… で渡す"}},
		"keyring-none":       {next: text{"AWS_SWITCH_ROLE_KEYRING=passphrase keeps keys in a file under a passphrase of yours; --debug tells why others were passed over", "AWS_SWITCH_ROLE_KEYRING=passphrase なら自分のパスフレーズで封じたファイルに保存する。ほかが使えない理由は --debug に出る"}},
	}
})
