package words

import "sync"

// refusals explain what AWS says no to, and what does not answer as AWS does.
// Where "what" is empty it is AWS's own code and message.
var refusals = sync.OnceValue(func() map[string]entry {
	return map[string]entry{
		"clock-behind": {
			why:  text{"this machine's clock is %[1]s behind AWS's", "このマシンの時計が AWS より %[1]s 遅れている"},
			next: text{"set the clock: sudo timedatectl set-ntp true", "時計を合わせる: sudo timedatectl set-ntp true"},
		},
		"clock-ahead": {
			why:  text{"this machine's clock is %[1]s ahead of AWS's", "このマシンの時計が AWS より %[1]s 進んでいる"},
			next: text{"set the clock: sudo timedatectl set-ntp true", "時計を合わせる: sudo timedatectl set-ntp true"},
		},
		"clock-off": {
			why:  text{"AWS refuses the signature for its time: this machine's clock is off, though the answer does not tell by how much", "署名の時刻が理由で拒まれた。このマシンの時計がずれている (どれだけかは応答からは分からない)"},
			next: text{"set the clock: sudo timedatectl set-ntp true", "時計を合わせる: sudo timedatectl set-ntp true"},
		},
		"mfa-not-the-users": {
			why:  text{"the device is not one of this key's user, or does not exist", "このキーのユーザーのデバイスではないか、存在しない"},
			next: text{"compare mfa_serial with: aws-switch-role mfa %[1]s", "mfa_serial を見比べる: aws-switch-role mfa %[1]s"},
		},
		"mfa-with-temporary-keys": {
			why:  text{"the keys are temporary themselves", "もとのキー自体が一時的なもの"},
			next: text{"remove mfa_serial from the profile, or start from a long-lived key", "プロファイルから mfa_serial を外すか、長期キーから始める"},
		},
		"tags-not-allowed": {
			why:  text{"the role's trust policy does not let this caller set session tags", "ロールの信頼ポリシーが、この呼び出し元にセッションタグを許していない"},
			next: text{"leave out --tag and session_tags, or have sts:TagSession allowed: aws-switch-role explain --trust-policy %[1]s", "--tag と session_tags を外すか、sts:TagSession を許してもらう: aws-switch-role explain --trust-policy %[1]s"},
		},
		"source-identity-not-allowed": {
			why:  text{"the role's trust policy does not let this caller set a source identity", "ロールの信頼ポリシーが、この呼び出し元にソース ID の設定を許していない"},
			next: text{"leave out --source-identity and source_identity, or have sts:SetSourceIdentity allowed: aws-switch-role explain --trust-policy %[1]s", "--source-identity と source_identity を外すか、sts:SetSourceIdentity を許してもらう: aws-switch-role explain --trust-policy %[1]s"},
		},
		"web-identity-not-trusted": {
			why:  text{"the role's trust policy does not name this identity provider, or its conditions do not fit the token", "ロールの信頼ポリシーにこの ID プロバイダーがないか、条件がトークンに合わない"},
			next: text{"compare the token's iss, aud and sub with the policy, which this shows in the role's account: aws iam get-role --role-name NAME", "トークンの iss、aud、sub を信頼ポリシーと見比べる。ロールのアカウントで: aws iam get-role --role-name 名前"},
		},
		// 1 is the profile, 2 the caller, 3 the role, 4 the policy that AWS names or
		// the causes there may be.
		"not-allowed-to-assume": {
			why:  text{"%[2]s lacks the permission sts:AssumeRole on the role: a policy of its own account decides that", "%[2]s にはこのロールへの sts:AssumeRole の権限がない。自分のアカウント側のポリシーの問題"},
			next: text{"the statement it needs: aws-switch-role explain --trust-policy --online %[1]s", "必要なステートメント: aws-switch-role explain --trust-policy --online %[1]s"},
		},
		"not-trusted": {
			why:  text{"the role's trust policy does not let %[2]s in: it names others, or a condition of it, such as MFA or an external id, is not met", "ロールの信頼ポリシーが %[2]s を許していない。ほかの者を指しているか、MFA や外部 ID などの条件を満たしていない"},
			next: text{"the policy to hand to the role's owner: aws-switch-role explain --trust-policy --online %[1]s", "ロールの管理者に渡すポリシー: aws-switch-role explain --trust-policy --online %[1]s"},
		},
		"not-in-the-policy": {
			why:  text{"the %[4]s that binds %[2]s does not allow it, whatever other policies say", "%[2]s を縛るポリシー (%[4]s) が許していない。ほかのポリシーでは変えられない"},
			next: text{"have it allow what this prints: aws-switch-role explain --trust-policy --online %[1]s", "次が示すものをそこで許してもらう: aws-switch-role explain --trust-policy --online %[1]s"},
		},
		"explicitly-denied": {
			why:  text{"a policy denies it explicitly: %[4]s", "明示的に拒否するポリシーがある: %[4]s"},
			next: text{"ask whoever keeps that policy, since no other permission helps against it; what a switch needs: aws-switch-role explain --trust-policy --online %[1]s", "そのポリシーの管理者に相談する (ほかの権限では覆せない)。切り替えに必要なもの: aws-switch-role explain --trust-policy --online %[1]s"},
		},
		"denied": {
			why:  text{"AWS does not say why; likely, in this order: %[4]s", "AWS は理由を言わない。考えられる順に: %[4]s"},
			next: text{"tell them apart: aws-switch-role doctor --online %[1]s; what the role needs: aws-switch-role explain --trust-policy --online %[1]s", "見分け方: aws-switch-role doctor --online %[1]s、ロールに必要なもの: aws-switch-role explain --trust-policy --online %[1]s"},
		},
		// Where the causes are listed one by one.
		"denied-here": {
			why:  text{"AWS does not say why; the causes above are the likely ones, in their order", "AWS は理由を言わない。上は考えられる原因で、可能性の高い順"},
			next: text{"what the role needs: aws-switch-role explain --trust-policy --online %[1]s", "ロールに必要なもの: aws-switch-role explain --trust-policy --online %[1]s"},
		},
		"key-unknown-here": {
			why:  text{"AWS does not say why; the causes above are the likely ones, in their order", "AWS は理由を言わない。上は考えられる原因で、可能性の高い順"},
			next: text{"where the key comes from: aws-switch-role explain %[1]s", "キーの出どころ: aws-switch-role explain %[1]s"},
		},
		"key-unknown-there-here": {
			why:  text{"AWS does not say why; the causes above are the likely ones, in their order", "AWS は理由を言わない。上は考えられる原因で、可能性の高い順"},
			next: text{"if the region is not enabled: aws account enable-region --region-name REGION; where the key comes from: aws-switch-role explain %[1]s", "リージョンが有効でないなら: aws account enable-region --region-name リージョン。キーの出どころ: aws-switch-role explain %[1]s"},
		},
		// The causes of a denial that AWS does not explain, and how to tell. 1 is
		// the profile, 2 the role, 3 its name, 4 the caller.
		"cause-no-mfa": {
			what: text{"the role demands MFA and no mfa_serial is set (aws-switch-role mfa %[1]s)", "ロールが MFA を求めているのに mfa_serial がない (aws-switch-role mfa %[1]s)"},
			why:  text{"it works with a code: aws-switch-role %[1]s --mfa-serial ARN", "コードがあれば通る: aws-switch-role %[1]s --mfa-serial ARN"},
		},
		"cause-mfa-old": {
			what: text{"it demands a younger MFA code than the one of the kept session (--renew=all)", "保存されたセッションより新しい MFA コードを求めている (--renew=all)"},
			why:  text{"it works with a new code: aws-switch-role %[1]s --renew=all", "新しいコードなら通る: aws-switch-role %[1]s --renew=all"},
		},
		"cause-mfa-lost": {
			what: text{"it demands MFA, which role chaining does not pass on", "MFA を求めているが、ロールチェイニングでは引き継がれない"},
			why:  text{"it works straight from a user's key: source_profile = a profile with a key, and mfa_serial", "ユーザーのキーから直接なら通る: source_profile にキーのあるプロファイル、そして mfa_serial を設定する"},
		},
		"cause-no-external-id": {
			what: text{"it demands an external id (external_id)", "外部 ID (external_id) を求めている"},
			why:  text{"its owner tells the id; try it: aws-switch-role %[1]s --external-id ID", "ID はロールの管理者が知っている。試す: aws-switch-role %[1]s --external-id ID"},
		},
		"cause-other-external-id": {
			what: text{"it demands another external id", "求める外部 ID と違う"},
			why:  text{"its owner tells the id, every letter and case of which counts: aws-switch-role %[1]s --external-id ID", "ID はロールの管理者が知っている。大文字小文字も含めて一致させる: aws-switch-role %[1]s --external-id ID"},
		},
		"cause-not-trusted": {
			what: text{"its trust policy does not name the caller", "信頼ポリシーに呼び出し元がない"},
			why:  text{"seen in the role's account: aws iam get-role --role-name %[3]s --query Role.AssumeRolePolicyDocument", "ロールのアカウントで見える: aws iam get-role --role-name %[3]s --query Role.AssumeRolePolicyDocument"},
		},
		"cause-no-permission": {
			what: text{"the caller lacks sts:AssumeRole on it", "呼び出し元に sts:AssumeRole の権限がない"},
			why:  text{"seen in the caller's account: aws iam simulate-principal-policy --policy-source-arn %[4]s --action-names sts:AssumeRole --resource-arns %[2]s", "呼び出し元のアカウントで見える: aws iam simulate-principal-policy --policy-source-arn %[4]s --action-names sts:AssumeRole --resource-arns %[2]s"},
		},
		"cause-no-role": {
			what: text{"it does not exist", "そのロールが存在しない"},
			why:  text{"in the role's account this says NoSuchEntity then: aws iam get-role --role-name %[3]s", "ロールのアカウントで次が NoSuchEntity になる: aws iam get-role --role-name %[3]s"},
		},
		// Those of a key that is not known. 1 is the profile, 2 the one that has the
		// key, 3 the region, 4 the key's id, 5 a region of another partition, 6 what
		// takes an endpoint out.
		"cause-other-endpoint": {
			what: text{"the endpoint is not AWS's", "エンドポイントが AWS のものではない"},
			why:  text{"AWS itself knows the key, then: %[6]s, and try again: aws-switch-role %[1]s", "その場合 AWS はキーを知っている: %[6]s のあと、もう一度試す: aws-switch-role %[1]s"},
		},
		"cause-region-not-enabled": {
			what: text{"the account has not enabled the region %[3]s", "アカウントでリージョン %[3]s が有効でない"},
			why:  text{"the key works elsewhere, then: aws-switch-role %[1]s --region us-east-1", "その場合ほかのリージョンでは通る: aws-switch-role %[1]s --region us-east-1"},
		},
		"cause-key-inactive": {
			what: text{"the key was made inactive", "キーが無効化された"},
			why:  text{"with another key of its account, this lists %[4]s as Inactive: aws iam list-access-keys --user-name USER", "そのアカウントの別のキーで、次が %[4]s を Inactive と示す: aws iam list-access-keys --user-name ユーザー名"},
		},
		"cause-key-deleted": {
			what: text{"it was deleted", "キーが削除された"},
			why:  text{"the same list does not have %[4]s; whose account it was: aws sts get-access-key-info --access-key-id %[4]s", "同じ一覧に %[4]s がない。どのアカウントのものか: aws sts get-access-key-info --access-key-id %[4]s"},
		},
		"cause-key-elsewhere": {
			what: text{"it is of another partition", "別パーティションのキー"},
			why:  text{"it is known there: aws sts get-caller-identity --profile %[2]s --region %[5]s", "そこでは通る: aws sts get-caller-identity --profile %[2]s --region %[5]s"},
		},
		"cause-tokens-mixed": {
			what: text{"the session token is not that of the key", "セッショントークンがこのキーのものではない"},
			why:  text{"a key, its secret and its token come together: take all three again from where they come from, then: aws-switch-role %[1]s", "キーとシークレットとトークンはひと組: 3 つとも取り直してから aws-switch-role %[1]s"},
		},
		"cause-session-revoked": {
			what: text{"the session, or the key that it was made with, is no longer", "セッション、またはそのもとのキーがもうない"},
			why:  text{"a new one works, then: aws-switch-role %[1]s --renew=all", "その場合、新しくすれば通る: aws-switch-role %[1]s --renew=all"},
		},
		"endpoint-set": {
			why:  text{"%[1]s is not AWS's: %[2]s names it", "%[1]s は AWS のものではない: %[2]s の指定"},
			next: text{"if it is not meant: %[3]s", "意図したものでなければ: %[3]s"},
		},
		"cause-this-caller": {what: text{"this caller", "この呼び出し元"}},
		"sso-not-given": {
			why:  text{"IAM Identity Center does not give you the role %[1]s in account %[2]s, or there is none", "IAM Identity Center がアカウント %[2]s のロール %[1]s を割り当てていないか、存在しない"},
			next: text{"compare sso_account_id and sso_role_name (aws-switch-role explain %[4]s) with what is yours at %[3]s", "%[3]s で自分に割り当てられたものと、sso_account_id、sso_role_name (aws-switch-role explain %[4]s) を見比べる"},
		},
		"sso-nowhere": {
			why:  text{"there is no IAM Identity Center at that start URL in that region", "その開始 URL とリージョンに IAM Identity Center がない"},
			next: text{"compare sso_start_url and sso_region with those of your access portal, then try again: aws-switch-role sso login", "sso_start_url と sso_region をアクセスポータルのものと見比べてから、もう一度試す: aws-switch-role sso login"},
		},
		"login-not-renewable": {
			why:  text{"the user who signed in may not have sign-ins renewed", "サインインしたユーザーに更新の権限がない"},
			next: text{"allow signin:CreateOAuth2Token: it is in the managed policy SignInLocalDevelopmentAccess; till then: aws login --profile %[2]s", "signin:CreateOAuth2Token を許す (マネージドポリシー SignInLocalDevelopmentAccess に含まれる)。それまでは: aws login --profile %[2]s"},
		},
		"iam-denied": {
			why:  text{"IAM often demands a session with MFA", "IAM は MFA つきのセッションを求めることが多い"},
			next: text{"try it with MFA: --mfa-serial ARN; else the caller's policy must allow iam:%[1]s", "MFA つきで試す: --mfa-serial ARN。だめなら呼び出し元のポリシーで iam:%[1]s を許す"},
		},
		"sts-denied": {
			next: text{"is the caller's policy allowing sts:%[1]s? who that is: aws sts get-caller-identity", "呼び出し元のポリシーは sts:%[1]s を許しているか。呼び出し元: aws sts get-caller-identity"},
		},
		"federation-denied": {
			why:  text{"a profile of plain keys signs in to the console as a federated user", "キーだけのプロファイルは、フェデレーションユーザーとしてコンソールに入る"},
			next: text{"allow sts:GetFederationToken to the user, or take a role's profile: aws-switch-role console PROFILE", "ユーザーに sts:GetFederationToken を許すか、ロールのプロファイルを使う: aws-switch-role console プロファイル"},
		},
		// 1 is the host of AWS Sign-In.
		"console-refused": {
			text{"AWS Sign-In does not take the session, and does not say why", "AWS サインインがこのセッションを受け付けない。理由は言わない"},
			text{"likely: it has ended or was revoked, is of another partition than %[1]s, or may not be as long in the console as was asked for", "考えられるのは、期限切れか取り消し、%[1]s と別のパーティション、コンソールには長すぎる時間の指定"},
			text{"make a new one, for no longer than its own time: --renew, without --duration", "--duration を付けずに --renew で作り直す"},
		},
		"key-unknown": {
			why:  text{"AWS does not know the key or its token, and does not say why; likely, in this order: %[4]s", "AWS がこのキーかトークンを知らない。理由は言わない。考えられる順に: %[4]s"},
			next: text{"tell them apart: aws-switch-role doctor --online %[1]s; the key's id: aws-switch-role explain %[1]s", "見分け方: aws-switch-role doctor --online %[1]s、キーの ID: aws-switch-role explain %[1]s"},
		},
		"key-unknown-there": {
			why:  text{"the key is not known in %[3]s, and AWS does not say why; likely, in this order: %[4]s", "%[3]s ではこのキーが知られていない。理由は言わない。考えられる順に: %[4]s"},
			next: text{"is it known elsewhere? aws-switch-role %[1]s --region us-east-1; if so: aws account enable-region --region-name %[3]s; else: aws-switch-role doctor --online %[1]s", "ほかでは通るか: aws-switch-role %[1]s --region us-east-1。通るなら: aws account enable-region --region-name %[3]s。だめなら: aws-switch-role doctor --online %[1]s"},
		},
		"iam-without-mfa": {
			why:  text{"IAM answers so to a session that was made without MFA, and to a key that is deleted or inactive", "IAM は MFA なしで作られたセッションにも、削除または無効化されたキーにもこう答える"},
			next: text{"make the session with MFA: --mfa-serial ARN, or mfa_serial = ARN in the profile", "MFA つきのセッションにする: --mfa-serial ARN、またはプロファイルに mfa_serial = ARN"},
		},
		"secret-wrong": {
			why:  text{"the secret access key is not the one of the access key id, or a proxy changes requests on their way", "シークレットアクセスキーがアクセスキー ID と対になっていないか、プロキシがリクエストを書き換えている"},
			next: text{"copy both again, whole: aws-switch-role keys add %[2]s", "両方を写し直す: aws-switch-role keys add %[2]s"},
		},
		"identity-token-refused": {
			why:  text{"STS does not take the web identity token: the account has no such identity provider, or the token is for another audience", "STS がトークンを受け付けない。アカウントにその ID プロバイダーがないか、別の audience 向け"},
			next: text{"compare the token's iss and aud with: aws iam list-open-id-connect-providers", "トークンの iss と aud を見比べる: aws iam list-open-id-connect-providers"},
		},
		"identity-token-ended": {
			why:  text{"the web identity token has ended", "Web ID トークンの期限が切れた"},
			next: text{"get a new one from the identity provider, then try again: aws-switch-role %[1]s", "ID プロバイダーから取り直して、もう一度試す: aws-switch-role %[1]s"},
		},
		"identity-provider-out": {
			why:  text{"STS cannot reach the identity provider; the request was tried again already", "STS が ID プロバイダーに到達できない。再試行もした"},
			next: text{"try again in a moment: aws-switch-role %[1]s", "少し待ってもう一度試す: aws-switch-role %[1]s"},
		},
		"base-ended": {
			why:  text{"the temporary keys that the chain starts from have ended", "起点になる一時キーの期限が切れた"},
			next: text{"renew them where they come from, then try again: aws-switch-role %[1]s", "発行元で更新して、もう一度試す: aws-switch-role %[1]s"},
		},
		"region-off": {
			why:  text{"STS is switched off for the region %[3]s in this account", "このアカウントではリージョン %[3]s の STS が有効でない"},
			next: text{"choose another: --region us-east-1; or have it activated in the account settings of the IAM console", "別のリージョンにする: --region us-east-1。または IAM コンソールのアカウント設定で有効にする"},
		},
		"over-maximum": {
			why:  text{"the role allows shorter sessions only", "ロールの最大セッション時間を超えている"},
			next: text{"ask for less, or for what the role allows: --duration max", "短くするか、ロールの上限にまかせる: --duration max"},
		},
		"over-chained": {
			why:  text{"a role that is assumed with another role's session lasts 1h at most", "ロールのセッションから引き受けるロールは最長 1 時間"},
			next: text{"ask for --duration 1h", "--duration 1h にする"},
		},
		"packed-too-large": {
			why:  text{"session policy and tags are packed into the token, which has a size", "セッションポリシーとタグはトークンに詰められ、大きさに限りがある"},
			next: text{"use fewer or shorter tags (--tag, session_tags), or a shorter --policy", "タグ (--tag、session_tags) か --policy を短くする"},
		},
		"busy": {
			why:  text{"AWS is busy, and was when the request was tried again", "AWS が混んでいて、再試行しても同じだった"},
			next: text{"try again in a moment: aws-switch-role %[1]s", "少し待ってもう一度試す: aws-switch-role %[1]s"},
		},
		"busy-mfa": {
			why:  text{"AWS may have used the MFA code: the next one comes in %[3]s", "MFA コードは使用済みかもしれない。次のコードは %[3]s 後"},
			next: text{"try again with that: aws-switch-role %[1]s", "そのコードで試す: aws-switch-role %[1]s"},
		},
		"code-may-be-used": {why: text{"AWS may have used the MFA code: the next one comes in %[1]s", "MFA コードは使用済みかもしれない。次のコードは %[1]s 後"}},
		"code-wrong": {
			next: text{"the device's next code comes in %[2]s: aws-switch-role %[3]s; is %[1]s the right device, and its clock right?", "デバイスの次のコードは %[2]s 後: aws-switch-role %[3]s。デバイス %[1]s は正しいか、その時計は合っているか"},
		},

		// The network. 1 is the host.
		"no-answer": {
			text{"no answer from %[1]s: %[2]s", "%[1]s から応答がない: %[2]s"}, text{},
			text{"is the network up, and the region's name right? where it asks: aws-switch-role explain %[3]s", "ネットワークはつながっているか、リージョン名は正しいか。問い合わせ先: aws-switch-role explain %[3]s"},
		},
		"certificate": {
			text{"the certificate of %[1]s is not trusted (issuer %[2]s)", "%[1]s の証明書を信頼できない (発行者 %[2]s)"}, text{},
			text{"a proxy or portal may stand in between: sign in to it, or trust its certificate: AWS_CA_BUNDLE=FILE, or ca_bundle = FILE", "間にプロキシやポータルがあるかもしれない。サインインするか、その証明書を信頼する: AWS_CA_BUNDLE=ファイル、または ca_bundle = ファイル"},
		},
		"no-such-host": {
			text{"the name of %[1]s cannot be resolved", "%[1]s の名前を解決できない"}, text{},
			text{"is the network up, and the region's name right? where it asks: aws-switch-role explain %[3]s", "ネットワークはつながっているか、リージョン名は正しいか。問い合わせ先: aws-switch-role explain %[3]s"},
		},
		"too-slow": {
			text{"no answer from %[1]s in time", "%[1]s から時間内に応答がない"}, text{},
			text{"is the network up, and the region's name right? where it asks: aws-switch-role explain %[3]s", "ネットワークはつながっているか、リージョン名は正しいか。問い合わせ先: aws-switch-role explain %[3]s"},
		},
		"hung-up": {
			text{"%[1]s hung up without an answer", "%[1]s が応答せずに接続を切った"}, text{},
			text{"try again; where it asks: aws-switch-role explain %[3]s", "もう一度試す。問い合わせ先: aws-switch-role explain %[3]s"},
		},
		"nobody-listens": {
			text{"nobody listens at %[1]s", "%[1]s では誰も待ち受けていない"}, text{},
			text{"is the network up, and the region's name right? where it asks: aws-switch-role explain %[3]s", "ネットワークはつながっているか、リージョン名は正しいか。問い合わせ先: aws-switch-role explain %[3]s"},
		},
		"not-aws": {
			text{"the answer of %[1]s to %[2]s is not AWS's: %[3]s", "%[2]s への %[1]s の応答が AWS のものではない: %[3]s"}, text{},
			text{"a captive portal or proxy may stand in between: open a web page to sign in to it; see the endpoint with: aws-switch-role explain %[4]s", "間にポータルやプロキシがあるかもしれない。ウェブページを開いてサインインする。エンドポイントは aws-switch-role explain %[4]s に出る"},
		},
		"ended-on-arrival": {
			text{"the answer of %[1]s to %[2]s is not AWS's: %[3]s", "%[2]s への %[1]s の応答が AWS のものではない: %[3]s"}, text{},
			text{"is this machine's clock right? sudo timedatectl set-ntp true", "このマシンの時計は合っているか: sudo timedatectl set-ntp true"},
		},

		// Sources that are no API of AWS. 1 is the profile.
		"process-said":    {why: text{"it said %[1]s", "出力は %[1]s"}},
		"process-failed":  {next: text{"try its command by hand; it stands in: aws-switch-role explain %[1]s", "コマンドを手で試す。aws-switch-role explain %[1]s に出る"}},
		"process-missing": {next: text{"is it on the PATH? no shell reads credential_process of profile %[1]s: write the whole path, without ~ or $HOME: credential_process = /PATH/TO/IT", "PATH にあるか。プロファイル %[1]s の credential_process はシェルを通らないので、~ や $HOME を使わずフルパスで書く: credential_process = /フルパス"}},
		"process-no-exec": {next: text{"it must be a program that may be run (chmod +x), and quotes come in pairs", "実行できるプログラムか (chmod +x)、引用符は閉じているか"}},
		"process-slow":    {next: text{"try its command by hand; it stands in: aws-switch-role explain %[1]s; does it ask for something?", "コマンドを手で試す。aws-switch-role explain %[1]s に出る。何か入力を待っていないか"}},
		"process-loop":    {next: text{"give one of these profiles keys, a role, or another process; their lines: aws-switch-role explain %[1]s", "どれかのプロファイルにキーかロール、別のプロセスを設定する。その行: aws-switch-role explain %[1]s"}},
		"no-instance":     {next: text{"away from EC2, give the profile a source_profile = NAME or another credential_source; on EC2, see that the metadata service is on", "EC2 の外なら source_profile = 名前 か別の credential_source にする。EC2 ならメタデータサービスが有効か確かめる"}},
		"no-container":    {next: text{"away from ECS and EKS, unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI", "ECS や EKS の外なら unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI"}},
		"no-role-there":   {next: text{"attach one: aws ec2 associate-iam-instance-profile", "割り当てる: aws ec2 associate-iam-instance-profile"}},
		"container-token": {next: text{"is the token of AWS_CONTAINER_AUTHORIZATION_TOKEN or its _FILE the present one? where it goes: aws-switch-role explain %[1]s", "AWS_CONTAINER_AUTHORIZATION_TOKEN (または _FILE) のトークンは今のものか。送り先: aws-switch-role explain %[1]s"}},
		"instance-closed": {next: text{"is the metadata service on, and open to this user? where it is: aws-switch-role explain %[1]s", "メタデータサービスは有効で、このユーザーに開いているか。場所: aws-switch-role explain %[1]s"}},
		"service-failed":  {next: text{"see whom it asks: aws-switch-role explain %[1]s", "問い合わせ先を見る: aws-switch-role explain %[1]s"}},
		"no-token":        {next: text{"see that the token is there, on one line, and may be read; where it should be: aws-switch-role explain %[1]s", "トークンがあり、1 行で、読めるか確かめる。場所: aws-switch-role explain %[1]s"}},
		"said-by-aws":     {why: text{"AWS said %[1]s", "AWS の返答: %[1]s"}},
		"sign-in-login":   {next: text{"sign in: aws login --profile %[1]s", "サインインする: aws login --profile %[1]s"}},
		"sign-in-session": {next: text{"sign in: aws-switch-role sso login %[1]s", "サインインする: aws-switch-role sso login %[1]s"}},
		"sign-in-profile": {next: text{"sign in: aws-switch-role sso login %[1]s", "サインインする: aws-switch-role sso login %[1]s"}},
	}
})
