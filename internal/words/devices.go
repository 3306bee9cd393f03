package words

import "sync"

// devices are about MFA devices, and about profiles that are to be written.
var devices = sync.OnceValue(func() map[string]entry {
	return map[string]entry{
		"cannot-ask": {next: text{"run it on a terminal without --no-input, or pass %[1]s", "端末で --no-input なしで実行するか、%[1]s をつける"}},
		"no-user":    {next: text{"no MFA code is needed for it; name a profile that starts from a key: aws-switch-role mfa PROFILE", "MFA コードは要らない。キーから始まるプロファイルを指定する: aws-switch-role mfa プロファイル"}},

		// 1 is the device, 2 the profile and 3 what else to do.
		"device-to-write": {next: text{
			"the user has the MFA device %[1]s; write it into the profile: aws-switch-role mfa %[2]s --write; else %[3]s",
			"ユーザーには MFA デバイス %[1]s がある。プロファイルに書き込む: aws-switch-role mfa %[2]s --write。そうでなければ、%[3]s"}},
		"device-to-pass": {next: text{
			"the user has the MFA device %[1]s; pass --mfa-serial %[1]s; else %[3]s",
			"ユーザーには MFA デバイス %[1]s がある。--mfa-serial %[1]s をつける。そうでなければ、%[3]s"}},

		"no-usable-device": {next: text{"register an authenticator app in the IAM console (Security credentials, Assign MFA device), then: aws-switch-role mfa PROFILE --write", "IAM コンソールのセキュリティ認証情報で認証アプリを MFA デバイスとして割り当ててから: aws-switch-role mfa プロファイル --write"}},
		"other-device":     {next: text{"see those that there are: aws-switch-role mfa %[1]s", "どれがあるかを見る: aws-switch-role mfa %[1]s"}},

		"profile-exists":    {next: text{"edit it there, or choose another name; its MFA device alone: aws-switch-role mfa %[1]s --write", "そこで編集するか、別の名前にする。MFA デバイスだけなら: aws-switch-role mfa %[1]s --write"}},
		"profile-is-key":    {next: text{"choose another name: aws-switch-role profile add OTHER --source-profile %[1]s", "別の名前にする: aws-switch-role profile add 別の名前 --source-profile %[1]s"}},
		"profile-misplaced": {next: text{"mend that line, or choose another name: aws-switch-role profile add OTHER", "その行を直すか、別の名前にする: aws-switch-role profile add 別の名前"}},
		"no-base":           {next: text{"store a key first: aws-switch-role keys add NAME", "先にキーを保存する: aws-switch-role keys add 名前"}},
	}
})
