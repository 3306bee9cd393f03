package hop

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// maxTurns is how often a request is sent by a common pace. The pace adapts, so
// that a second refusal of one request is rare; what is refused for ever is
// refused for something else.
const maxTurns = 20

// paced makes calls to host when it is p's turn, and again as long as AWS
// refuses them for being asked too often, unless it is to be made once. Waiting
// for a turn is no part of a call's own time.
func paced[T any](ctx context.Context, p *Performer, host string, once bool, call func() (T, error)) (T, error) {
	if p.Turn == nil {
		return call()
	}
	for turn := 1; ; turn++ {
		done, err := p.Turn(ctx, host)
		if err != nil {
			var none T
			return none, err
		}
		out, err := call()
		e, refused := errors.AsType[*APIError](err)
		throttled := refused && e.throttled()
		done(throttled)
		if !throttled || once || turn == maxTurns {
			return out, err
		}
	}
}

// throttled reports whether AWS refused for being asked too often: by a code
// that the SDKs know, or by HTTP's status for it.
func (e *APIError) throttled() bool {
	_, ok := retry.DefaultThrottleErrorCodes[e.Code]
	return ok || e.Status == http.StatusTooManyRequests
}

// notThrottling keeps the SDK from trying again what AWS refused for being
// asked too often.
func notThrottling(err error) aws.Ternary {
	if throttleCodes.IsErrorThrottle(err) == aws.TrueTernary {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

var throttleCodes = retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
