package main

// item is a term and what it is.
type item struct{ term, text string }

// sections are those of the main page that no command's help has.
var sections = []struct {
	name  string
	text  string
	items []item
}{
	{"EXIT STATUS", "A switch has the status of the command or shell that it ran. Otherwise:", []item{
		{"0", "success"},
		{"1", "a failure; of doctor: something was found; of each: a run failed; of status: this is no switched shell"},
		{"2", "the command line makes no sense"},
		{"124", "of one run of each: it was not over in time"},
		{"125", "the switch failed before the command was run"},
		{"126", "the command cannot be run"},
		{"127", "the command is not found"},
		{"130", "interrupted at a question or in the picker; 128+N for any other signal N"},
	}},
	{"ENVIRONMENT", "Read, beside what the AWS CLI and the SDKs read (AWS_PROFILE, AWS_REGION, AWS_CONFIG_FILE, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, HTTPS_PROXY and so on):", []item{
		{"AWS_SWITCH_ROLE_FLAG", "the default of a flag, in capitals and with _ for -, such as AWS_SWITCH_ROLE_REGION=eu-west-1 or AWS_SWITCH_ROLE_SECRETLESS=1; a flag on the command line goes first"},
		{"AWS_SWITCH_ROLE_KEYRING", "where secrets are kept: auto, secret-service, kernel, passphrase, keychain, wincred, pass or none"},
		{"AWS_SWITCH_ROLE_PASSPHRASE", "the answer to the question for the keyring's passphrase"},
		{"AWS_SWITCH_ROLE_ASKPASS, SSH_ASKPASS", "the program that asks for the code where there is no terminal"},
		{"LC_ALL, LC_MESSAGES, LANG", "the language of explanations: English, or Japanese for ja"},
		{"NO_COLOR", "if set, nothing is coloured"},
		{"AWS_SWITCH_ROLE_COMPLETION_DESCRIPTIONS", "0 completes without descriptions"},
		{"SHELL", "the shell that is opened"},
		{"BROWSER", "the browser of console and sso login"},
		{"XDG_CACHE_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR", "where the files below are"},
	}},
	{"SET IN A SWITCHED SHELL", "Beside the credentials, AWS_PROFILE, AWS_REGION, AWS_DEFAULT_REGION, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_SDK_LOAD_CONFIG and AWS_SESSION_EXPIRATION:", []item{
		{"AWS_SWITCH_ROLE_PROFILE, AWS_SWITCH_ROLE_ROLE_ARN, AWS_SWITCH_ROLE_ACCOUNT, AWS_SWITCH_ROLE_ROLE_NAME", "whose shell it is"},
		{"AWS_SWITCH_ROLE_SESSION_NAME", "the name of the role session"},
		{"AWS_SWITCH_ROLE_DEPTH", "how many switched shells are around it, itself included"},
		{"AWS_SWITCH_ROLE_SESSION", "the directory of the shell's files"},
		{"AWS_SWITCH_ROLE_CONFIG_FILE, AWS_SWITCH_ROLE_CREDENTIALS_FILE", "your own files, as AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE were before"},
		{"AWS_SWITCH_ROLE_KEY_ID, AWS_SWITCH_ROLE_BASE_KEY_ID", "the access key ids, no secrets, by which a switch within the shell knows the role's keys from those it started from"},
	}},
	{"SET FOR A CREDENTIAL_PROCESS", "", []item{
		{"AWS_SWITCH_ROLE_CHAIN", "the profiles whose credential_process has been started, one by the other, by which one that asks for itself is found out"},
	}},
	{"FILES", "", []item{
		{"~/.aws/config, ~/.aws/credentials", "the profiles, unless AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name others; changed by keys import, profile add, mfa --write, sso populate and doctor --fix alone"},
		{"$XDG_CACHE_HOME/aws-switch-role (~/.cache/aws-switch-role)", "sessions and sign-ins, sealed; they may be deleted at any time"},
		{"$XDG_DATA_HOME/aws-switch-role (~/.config/aws-switch-role)", "the index of keys, which has no secrets, and with the passphrase keyring the secrets, sealed"},
		{"$XDG_STATE_HOME/aws-switch-role (~/.local/state/aws-switch-role)", "which profiles were switched to last, and what each has done"},
		{"$XDG_RUNTIME_DIR/aws-switch-role", "locks, spent codes by device, and the files of switched shells"},
	}},
}
