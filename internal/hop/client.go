package hop

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// Bounds of one request and of all its tries together.
const (
	connectTimeout = 5 * time.Second
	headerTimeout  = 10 * time.Second
	totalTimeout   = 30 * time.Second
	maxBackoff     = 5 * time.Second
	maxAttempts    = 3
	maxBody        = 1 << 20
)

// httpClient is what the SDK sends with: bounded in time and size, following
// no redirect, and quick to refuse what AWS never answers.
type httpClient struct {
	transport *http.Transport
	answered  func(http.Header) // told the head of each good answer
}

func newHTTPClient(caBundle string, answered func(http.Header)) (*httpClient, error) {
	roots, err := rootCAs(caBundle)
	if err != nil {
		return nil, err
	}
	return &httpClient{answered: answered, transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:    connectTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        30 * time.Second,
	}}, nil
}

// Do sends one request. RoundTrip, unlike http.Client, follows no redirect: a
// signed request, perhaps with a code in it, goes nowhere but to its host.
func (c *httpClient) Do(r *http.Request) (*http.Response, error) {
	return c.do(r, checkAnswer)
}

// doForPage is Do for a service of AWS's whose refusals and failures are web
// pages.
func (c *httpClient) doForPage(r *http.Request) (*http.Response, error) {
	return c.do(r, func(r *http.Response) error {
		if r.StatusCode == http.StatusBadRequest || r.StatusCode >= http.StatusInternalServerError {
			return nil
		}
		return checkAnswer(r)
	})
}

func (c *httpClient) do(r *http.Request, check func(*http.Response) error) (*http.Response, error) {
	r, err := withOwnBody(r)
	if err != nil {
		return nil, err
	}
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := check(resp); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		c.answered(resp.Header)
	}
	resp.Body = &cappedBody{resp.Body, maxBody}
	return resp, nil
}

// withOwnBody returns r with a body that nobody closes. The SDK closes its own
// when the head of an answer is there; should the transport not have seen the
// end of the body by then, it would give up the connection amid the answer.
func withOwnBody(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, nil
}

func checkAnswer(r *http.Response) error {
	if r.StatusCode >= 300 && r.StatusCode < 400 {
		if u, err := r.Location(); err == nil {
			return &wrongAnswer{message.New("answer-redirect-to", "the answer is a redirect to %s, which AWS never sends", u.Host)}
		}
		return &wrongAnswer{message.New("answer-redirect", "the answer is a redirect, which AWS never sends")}
	}
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t == "text/html" {
		return &wrongAnswer{message.New("answer-web-page", "the answer is a web page (HTTP status %d)", r.StatusCode)}
	}
	return nil
}

// RetryableError tells the SDK not to try again: whatever stands between this
// machine and AWS will say the same.
func (e *wrongAnswer) RetryableError() bool { return false }

// cappedBody ends with an error where a body is larger than any of AWS's.
type cappedBody struct {
	io.ReadCloser
	left int64
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &wrongAnswer{message.New("answer-too-large", "the answer is larger than any of AWS's")}
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// bundles are where Linux distributions keep their certificates as one file.
// Go reads that file and then every certificate again from the directories
// beside it; one bundle is enough and halves the time of a cold switch.
var bundles = [...]string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
}

// rootCAs returns the certificates to trust: of the bundle named, else of the
// system. nil stands for Go's own way, which honours SSL_CERT_FILE and
// SSL_CERT_DIR and is the only right one on macOS and Windows.
func rootCAs(bundle string) (*x509.CertPool, error) {
	if bundle != "" {
		pem, err := os.ReadFile(bundle)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates of ca_bundle: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the certificates of ca_bundle: %s holds no certificate in PEM form", bundle)
		}
		return pool, nil
	}
	if os.Getenv("SSL_CERT_FILE") != "" || os.Getenv("SSL_CERT_DIR") != "" {
		return nil, nil
	}
	for _, name := range bundles {
		if pem, err := os.ReadFile(name); err == nil {
			if pool := x509.NewCertPool(); pool.AppendCertsFromPEM(pem) {
				return pool, nil
			}
		}
	}
	return nil, nil
}

// appID goes into the User-Agent, and so into CloudTrail.
const appID = "aws-switch-role"

// http returns the one client of p.
func (p *Performer) http() (*httpClient, error) {
	p.once.Do(func() { p.client, p.err = newHTTPClient(p.CABundle, p.compareClocks) })
	return p.client, p.err
}

// sts makes a client for one hop. A request with a code in it is sent once:
// AWS may have taken the code even when no answer came back.
func (p *Performer) sts(e plan.Endpoint, from cred.Credentials, once bool) (*sts.Client, error) {
	client, err := p.http()
	if err != nil {
		return nil, err
	}
	o := sts.Options{
		AppID:       appID,
		Region:      e.Region,
		HTTPClient:  client,
		Retryer:     p.retryer(),
		Credentials: provider(from),

		HTTPSignerV4:               signer{v4.NewSigner(), p.now},
		DisableClockSkewCorrection: true,
	}
	if once {
		o.Retryer = aws.NopRetryer{}
	}
	if e.URL != "" {
		o.BaseEndpoint = aws.String(e.URL)
	} else {
		o.EndpointOptions.UseFIPSEndpoint = state(e.FIPS, aws.FIPSEndpointStateEnabled, aws.FIPSEndpointStateDisabled)
		o.EndpointOptions.UseDualStackEndpoint = state(e.DualStack, aws.DualStackEndpointStateEnabled, aws.DualStackEndpointStateDisabled)
	}
	return sts.New(o), nil
}

// retryer tries again where AWS is busy or no answer came, after a wait of up
// to 2 s and then 4 s (the SDK's standard mode: full jitter, doubling).
func (p *Performer) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = maxAttempts, maxBackoff
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: retriedCodes})
		if p.Turn != nil {
			o.Retryables = slices.Insert(o.Retryables, 0, retry.IsErrorRetryable(retry.IsErrorRetryableFunc(notThrottling)))
		}
	})
}

// retriedCodes are errors worth another try that the SDK's list lacks.
var retriedCodes = map[string]struct{}{
	"IDPCommunicationError": {}, // STS could not reach the provider of a web identity
}

func state[T any](on bool, enabled, disabled T) T {
	if on {
		return enabled
	}
	return disabled
}

// provider hands credentials to the SDK, which keeps secrets as strings.
func provider(c cred.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID:     c.AccessKeyID,
			SecretAccessKey: c.SecretAccessKey.Reveal(),
			SessionToken:    c.SessionToken.Reveal(),
			CanExpire:       !c.Expires.IsZero(),
			Expires:         c.Expires,
		}, nil
	})
}

// request runs one call to STS within its time and turns its errors into this
// package's.
func request[T any](ctx context.Context, p *Performer, op string, e plan.Endpoint, mfa bool, call func(context.Context) (T, error)) (T, error) {
	return requestTo(ctx, p, op, e.Host(), mfa, call)
}

// requestTo is request for any service; host names its endpoint.
func requestTo[T any](ctx context.Context, p *Performer, op, host string, mfa bool, call func(context.Context) (T, error)) (T, error) {
	return paced(ctx, p, host, mfa, func() (T, error) { return requestOnce(ctx, p, op, host, mfa, call) })
}

// requestOnce is requestTo without waiting for a turn.
func requestOnce[T any](ctx context.Context, p *Performer, op, host string, mfa bool, call func(context.Context) (T, error)) (T, error) {
	defer p.waitingFor(host)()
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	return inTime(ctx, p, func(ctx context.Context) (T, error) {
		begun := p.now()
		out, err := call(ctx)
		log := p.log().With("op", op, "endpoint", host, "took", p.now().Sub(begun).Round(time.Millisecond))
		if err != nil {
			err = p.classify(op, host, mfa, err)
			log.Debug("request failed", "error", err)
			var none T
			return none, err
		}
		log.Debug("request done")
		return out, nil
	})
}

// printable reports whether a value of an answer is what AWS sends: printable
// ASCII without blanks, of bounded length.
func printable(s string, longest int) bool {
	return s != "" && len(s) <= longest && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) < 0
}
