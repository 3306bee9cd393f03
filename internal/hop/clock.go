package hop

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/middleware"
)

// AWS refuses a signature whose time is more than 5 minutes from its own (15
// for some services). A machine whose clock is wrong can still work: the Date
// of a refusal tells AWS's time, and the request is signed again for that.
//
// The SDK has a correction too. It is switched off because it needs another
// try, which a request with an MFA code does not have: a request refused at
// its signature is the one kind that has certainly not spent its code.

// noticeable is the difference of clocks that is acted on. Date headers tell
// whole seconds and are as old as the answer is late.
const noticeable = time.Minute

// worthTelling is the difference from which a person is told of it: the tools
// that they use next give up where AWS refuses a signature.
const worthTelling = 2 * time.Minute

// compareClocks looks at the time of a good answer.
func (p *Performer) compareClocks(answer http.Header) {
	if ahead := p.skew(answer); p.ClockOff != nil && ahead.Abs() > worthTelling {
		p.told.Do(func() { p.ClockOff(ahead) })
	}
}

// signingOffset is the key of the offset that a request's signature is made
// with, a [time.Duration].
type signingOffset struct{}

// signer signs by this machine's clock set right by the request's offset.
type signer struct {
	v4  *v4.Signer
	now func() time.Time
}

// SignHTTP implements the SDK's interface. The SDK's own idea of the time is
// left aside.
func (s signer) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, payloadHash, service, region string, _ time.Time, options ...func(*v4.SignerOptions)) error {
	offset, _ := ctx.Value(signingOffset{}).(time.Duration)
	return s.v4.SignHTTP(ctx, c, r, payloadHash, service, region, s.now().Add(offset), options...)
}

// inTime makes a call, signed for AWS's time as far as it is known. A
// signature refused for its time teaches it, also where a clock that was
// wrong has been set right since, and the call is made once more.
func inTime[T any](ctx context.Context, p *Performer, call func(context.Context) (T, error)) (T, error) {
	offset := time.Duration(p.offset.Load())
	out, err := call(context.WithValue(ctx, signingOffset{}, offset))
	e, ok := errors.AsType[*APIError](err)
	if !ok || !e.RefusedTime() || (e.Skew-offset).Abs() < noticeable {
		return out, err
	}
	p.offset.Store(int64(e.Skew))
	p.log().Warn("this machine's clock is wrong", "aws_is_ahead_by", e.Skew)
	return call(context.WithValue(ctx, signingOffset{}, e.Skew))
}

// RefusedTime reports whether AWS refused a signature for its time. STS says
// so in words only: the code is that of every bad signature.
func (e *APIError) RefusedTime() bool {
	return slices.Contains([]string{"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"}, e.Code) ||
		strings.Contains(e.Message, "Signature expired") || strings.Contains(e.Message, "Signature not yet current")
}

// toldTime is AWS's time as the refusal of a signature tells it, in brackets: it
// is not a proxy's, which may set the Date header.
//
//	Signature expired: 20260102T150000Z is now earlier than 20260102T150500Z (20260102T151000Z - 5 min.)
func toldTime(message string) (time.Time, bool) {
	if !strings.Contains(message, "Signature expired") && !strings.Contains(message, "Signature not yet current") {
		return time.Time{}, false
	}
	_, rest, _ := strings.Cut(message, " (")
	text, _, _ := strings.Cut(rest, " ")
	t, err := time.Parse("20060102T150405Z", text)
	return t, err == nil
}

// here turns a time of AWS's clock, told in the answer with that metadata,
// into one of this machine's, by which it will be compared.
func (p *Performer) here(t time.Time, answer middleware.Metadata) time.Time {
	server, ok := awsmiddleware.GetServerTime(answer)
	if !ok {
		return t
	}
	if skew := server.Sub(p.now()).Round(time.Second); skew.Abs() > noticeable {
		return t.Add(-skew)
	}
	return t
}
