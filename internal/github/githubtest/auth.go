package githubtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// principal is who speaks: nobody, the App by its JWT, an installation or a
// person by a token.
type principal struct {
	app   bool
	token *token
	user  *user
}

func (p principal) login() string {
	if p.user == nil {
		return "anonymous"
	}
	return p.user.login
}

// can reports whether the principal may use a permission ("contents",
// "checks", …) of a repository at a level ("read", "write"). s.mu is held.
func (p principal) can(r *repo, permission, level string) bool {
	if p.token != nil && p.token.install != nil {
		t := p.token
		if !t.install.repos[r.id] || (t.repos != nil && !t.repos[r.id]) {
			return !r.private && level == "read" && (permission == "contents" || permission == "metadata" || permission == "pull_requests")
		}
		return level == "read" && permission == "metadata" || covers(t.perms[permission], level)
	}
	role := "none"
	if p.user != nil {
		role = r.role(p.user.login)
	} else if !r.private && !p.app {
		role = "read"
	}
	if level == "write" && permission != "issues" { // whoever reads may comment
		return roleRank[role] >= roleRank["write"]
	}
	return roleRank[role] >= roleRank["read"]
}

// covers reports whether a granted level includes the asked one.
func covers(have, want string) bool {
	rank := map[string]int{"": 0, "read": 1, "write": 2, "admin": 3}
	return rank[have] >= rank[want] && have != ""
}

// authError is an answer to credentials that do not hold.
type authError struct {
	status  int
	message string
}

func (e authError) Error() string { return e.message }

var errBadCredentials = authError{http.StatusUnauthorized, "Bad credentials"}

// principalOf reads an API request's Authorization. s.mu is held.
func (s *Server) principalOf(r *http.Request) (principal, error) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(scheme) {
	case "":
		return principal{}, nil
	case "bearer", "token":
	default:
		return principal{}, errBadCredentials
	}
	if t, ok := s.tokens[value]; ok {
		return s.holder(t)
	}
	if strings.Count(value, ".") != 2 || strings.HasPrefix(value, "ghs_") {
		return principal{}, errBadCredentials
	}
	if err := s.checkJWT(value); err != nil {
		return principal{}, err
	}
	return principal{app: true}, nil
}

// holder returns whom a token speaks for. s.mu is held.
func (s *Server) holder(t *token) (principal, error) {
	if t.install == nil {
		return principal{token: t, user: t.user}, nil
	}
	switch {
	case t.install.deleted, !s.opts.Now().Before(t.expires):
		return principal{}, errBadCredentials
	case !t.install.suspended.IsZero():
		return principal{}, authError{http.StatusForbidden, "This installation has been suspended"}
	}
	return principal{token: t, user: s.bot()}, nil
}

// gitPrincipal reads a git request's basic authentication: x-access-token and
// a token for installations, any name and a token for people. known is false
// when there are no credentials or they do not hold. s.mu is held.
func (s *Server) gitPrincipal(r *http.Request) (who principal, known bool) {
	name, password, ok := r.BasicAuth()
	if !ok {
		return principal{}, false
	}
	t := s.tokens[password]
	if t == nil || (t.install != nil && name != "x-access-token") {
		return principal{}, false
	}
	who, err := s.holder(t)
	return who, err == nil
}

// checkJWT verifies what the App signs itself in with: RS256 by the App's key,
// issued by its ID, issued before now and valid for ten minutes at most. It
// goes by the machine's clock, as whoever signs does. The words are GitHub's.
func (s *Server) checkJWT(text string) error {
	parts := strings.Split(text, ".")
	var header struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Issuer   any   `json:"iss"`
		Issued   int64 `json:"iat"`
		ExpireAt int64 `json:"exp"`
	}
	for i, into := range []any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(raw, into) != nil {
			return authError{http.StatusUnauthorized, "A JSON web token could not be decoded"}
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	now := time.Now().Unix()
	switch {
	case err != nil, header.Alg != "RS256", rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, sum[:], signature) != nil:
		return authError{http.StatusUnauthorized, "A JSON web token could not be decoded"}
	case fmt.Sprint(claims.Issuer) != strconv.FormatInt(s.opts.AppID, 10):
		return authError{http.StatusUnauthorized, "Integration not found"}
	case claims.Issued > now+30:
		return authError{http.StatusUnauthorized, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"}
	case claims.ExpireAt <= now:
		return authError{http.StatusUnauthorized, "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"}
	case claims.ExpireAt > now+600:
		return authError{http.StatusUnauthorized, "'Expiration time' claim ('exp') is too far in the future"}
	}
	return nil
}

// newToken makes the text of an installation token in the form that GitHub
// writes since April 2026: ghs_, the App's ID, and something that looks like a
// JWT. It is several hundred characters long.
func (s *Server) newToken() string {
	part := func(n int) string {
		raw := make([]byte, n)
		_, _ = rand.Read(raw)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	return "ghs_" + strconv.FormatInt(s.opts.AppID, 10) + "_" + part(60) + "." + part(150) + "." + part(96)
}

// personalToken makes the text of a person's token.
func personalToken() string {
	raw := make([]byte, 18)
	_, _ = rand.Read(raw)
	return "ghp_" + hex.EncodeToString(raw)
}
