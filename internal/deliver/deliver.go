// Package deliver is every way to hand credentials on: an environment, a
// process that takes our place in it, shell code, JSON.
//
// It knows neither profiles nor chains: it gets the credentials and a few
// words on who the child will be ([As]), and hands them over without asking
// where they came from.
package deliver

// As says who the child will be. An empty field is left unset in the child,
// never set to the empty string: to the AWS CLI an empty AWS_PROFILE is the
// name of a profile that does not exist.
type As struct {
	// Profile is the name that was switched to.
	Profile string
	// InFiles is set when Profile is in the user's AWS files. A profile that is
	// in no file which the child sees must not be in AWS_PROFILE: most AWS
	// tools fail for want of it in spite of the keys in the environment.
	InFiles bool
	// RoleARN is the role that the credentials are a session of, when there
	// is one.
	RoleARN string
	// SessionName is the name of that session, as far as it is known.
	SessionName string
	// Account and RoleName say which role it is where AWS alone knows the ARN.
	Account, RoleName string
	// Region is for the child. When it is empty the child keeps the region
	// that the user's environment names.
	Region string
	// Depth counts the switched environments that the child is in, itself
	// included.
	Depth int
	// BaseKeyID is the access key id of the environment's key that the chain
	// started from, so that a switch inside the child knows its base again.
	BaseKeyID string

	// SessionDir is the directory made for the child, and ConfigFile and
	// CredentialsFile are the AWS files in it, in which Profile is. They are
	// all empty when the child is to see the user's own files.
	SessionDir, ConfigFile, CredentialsFile string
	// OwnConfigFile and OwnCredentialsFile are what the user has set
	// AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE to.
	OwnConfigFile, OwnCredentialsFile string
}
