package emulator

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The services that answer for no signature: each beside a machine or a
// container of its own, at an address that only that can reach.
const (
	instanceService  = "instance"
	containerService = "container"
)

const (
	tokenPath = "/latest/api/token"
	rolesPath = "/latest/meta-data/iam/security-credentials/"
	// localLife is how long the credentials of both services last.
	localLife   = 6 * time.Hour
	maxTokenTTL = 6 * time.Hour
)

// Metadata answers as the metadata service of the world's EC2 instance: for
// tokens (IMDSv2) and for its role's credentials.
func (s *Server) Metadata() http.Handler { return s.local(instanceService, (*Server).metadata) }

// Container answers as the credentials endpoints of the world's containers,
// in ECS and EKS.
func (s *Server) Container() http.Handler { return s.local(containerService, (*Server).container) }

// local makes a handler of a service whose requests are not signed.
func (s *Server) local(service string, act func(*Server, *call) answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.newCall(r)
		c.service = service
		c.action = localAction(service, r)
		s.handle(w, c, func() answer {
			s.mu.Lock()
			defer s.mu.Unlock()
			return act(s, c)
		})
	})
}

// localAction names a request for [Request] and [Fault].
func localAction(service string, r *http.Request) string {
	switch {
	case service == containerService:
		return "GetContainerCredentials"
	case r.URL.Path == tokenPath:
		return "GetToken"
	case r.URL.Path == rolesPath:
		return "GetRole"
	case strings.HasPrefix(r.URL.Path, rolesPath):
		return "GetInstanceCredentials"
	}
	return "GetMetadata"
}

func (s *Server) metadata(c *call) answer {
	r := c.http
	if r.Header.Get("X-Forwarded-For") != "" {
		return textAnswer(http.StatusForbidden, "403 - Forbidden") // it came by way of a proxy
	}
	if r.URL.Path == tokenPath {
		return s.metadataToken(c)
	}
	token := r.Header.Get("X-Aws-Ec2-Metadata-Token")
	if token == "" && s.instance.TokenRequired || token != "" && !c.now.Before(s.tokens[token]) {
		return textAnswer(http.StatusUnauthorized, "401 - Unauthorized")
	}
	role := s.roles[s.instance.RoleARN]
	switch {
	case r.Method != http.MethodGet:
		return textAnswer(http.StatusMethodNotAllowed, "405 - Method Not Allowed")
	case role != nil && r.URL.Path == rolesPath:
		return textAnswer(http.StatusOK, role.arn.name())
	case role != nil && r.URL.Path == rolesPath+role.arn.name():
		return s.instanceCredentials(c, role)
	}
	return textAnswer(http.StatusNotFound, "404 - Not Found")
}

func (s *Server) metadataToken(c *call) answer {
	if c.http.Method != http.MethodPut {
		return textAnswer(http.StatusMethodNotAllowed, "405 - Method Not Allowed")
	}
	text := c.http.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds")
	n, err := strconv.Atoi(text)
	ttl := time.Duration(n) * time.Second
	if err != nil || ttl <= 0 || ttl > maxTokenTTL {
		return textAnswer(http.StatusBadRequest, "400 - Bad Request")
	}
	token := "AQAE" + s.options.Mark + uniqueID("", "metadata token "+c.id) + "=="
	s.tokens[token] = c.now.Add(ttl)
	a := textAnswer(http.StatusOK, token)
	a.header.Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", text)
	return a
}

// instanceCredentials are told with a Code: also a role that cannot be assumed
// is answered with status 200.
func (s *Server) instanceCredentials(c *call, r *role) answer {
	now := stamp(c.now)
	k := s.localSession(c, r, "ec2.amazonaws.com", "i-0123456789abcdef0")
	if k == nil {
		return jsonAnswer(http.StatusOK, map[string]string{
			"Code": "AssumeRoleUnauthorizedAccess", "LastUpdated": now,
			"Message": "EC2 cannot assume the role " + r.arn.name() + ". Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc.",
		})
	}
	return jsonAnswer(http.StatusOK, map[string]string{
		"Code": "Success", "LastUpdated": now, "Type": "AWS-HMAC",
		"AccessKeyId": k.id, "SecretAccessKey": k.secret, "Token": k.token, "Expiration": stamp(k.expires),
	})
}

func (s *Server) container(c *call) answer {
	box, ok := s.containers[c.http.URL.Path]
	role := s.roles[box.RoleARN]
	switch {
	case c.http.Method != http.MethodGet:
		return jsonAnswer(http.StatusMethodNotAllowed, map[string]string{"code": "MethodNotAllowed", "message": "GET alone is allowed"})
	case !ok:
		return jsonAnswer(http.StatusNotFound, map[string]string{"code": "InvalidIdInRequest", "message": "CredentialsV2Request: ID not found"})
	case box.Authorization != "" && subtle.ConstantTimeCompare([]byte(box.Authorization), []byte(c.http.Header.Get("Authorization"))) != 1:
		return jsonAnswer(http.StatusUnauthorized, map[string]string{"code": "AccessDeniedException", "message": "Authorization token is missing or invalid"})
	}
	// ECS and EKS assume the role under service names of their own.
	k := s.localSession(c, role, "ecs-tasks.amazonaws.com", "0123456789abcdef0123456789abcdef")
	if k == nil {
		k = s.localSession(c, role, "pods.eks.amazonaws.com", "eks-cluster-pod")
	}
	if k == nil {
		return jsonAnswer(http.StatusBadRequest, map[string]string{"code": "AccessDeniedException", "message": "Unable to assume the role: " + role.arn.String()})
	}
	return jsonAnswer(http.StatusOK, map[string]string{
		"RoleArn": role.arn.String(), "AccessKeyId": k.id, "SecretAccessKey": k.secret, "Token": k.token,
		"Expiration": stamp(k.expires), "AccountId": role.arn.account,
	})
}

// localSession makes a session of the role for a service of AWS, nil when the
// role does not trust it.
func (s *Server) localSession(c *call, r *role, service, name string) *key {
	trusted := r.trust.trusts(question{who: identity{service: service}, action: "sts:AssumeRole", resource: r.arn.String(), context: conditionKeys{
		"aws:currenttime":     {stamp(c.now)},
		"sts:rolesessionname": {name},
	}})
	if trusted != allowed {
		return nil
	}
	return s.issueSession(c, roleSession, r.session(name, nil, nil), localLife)
}

func textAnswer(status int, text string) answer {
	return answer{status: status, header: http.Header{"Content-Type": {"text/plain"}}, body: []byte(text), code: failureCode(status)}
}

func jsonAnswer(status int, v map[string]string) answer {
	a := answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: must(json.Marshal(v)), code: failureCode(status)}
	if status >= 400 {
		a.code = v["code"]
	}
	return a
}

// failureCode stands for the error code of a service that has none.
func failureCode(status int) string {
	if status < 400 {
		return ""
	}
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}
