package githubtest_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// The App's own signature is checked.
func TestAppSignature(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	block, _ := pem.Decode([]byte(s.AppKey()))
	mine, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	part := func(v any) string {
		raw, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	token := func(algorithm, issuer string, issued, expires time.Time, sign func(text string) []byte) string {
		text := part(map[string]string{"alg": algorithm, "typ": "JWT"}) + "." + part(map[string]any{"iss": issuer, "iat": issued.Unix(), "exp": expires.Unix()})
		return text + "." + base64.RawURLEncoding.EncodeToString(sign(text))
	}
	by := func(key *rsa.PrivateKey) func(string) []byte {
		return func(text string) []byte {
			digest := sha256.Sum256([]byte(text))
			out, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	id := fmt.Sprint(s.AppID())
	soon := now.Add(5 * time.Minute)
	for name, c := range map[string]struct {
		token string
		want  int
	}{
		"good":          {token("RS256", id, now, soon, by(mine)), 200},
		"another key":   {token("RS256", id, now, soon, by(other)), 401},
		"another App":   {token("RS256", "1", now, soon, by(mine)), 401},
		"expired":       {token("RS256", id, now.Add(-time.Hour), now.Add(-time.Minute), by(mine)), 401},
		"from tomorrow": {token("RS256", id, now.Add(5*time.Minute), now.Add(9*time.Minute), by(mine)), 401},
		"too long":      {token("RS256", id, now, now.Add(time.Hour), by(mine)), 401},
		"HMAC": {token("HS256", id, now, soon, func(text string) []byte {
			mac := hmac.New(sha256.New, []byte(s.AppKey()))
			mac.Write([]byte(text))
			return mac.Sum(nil)
		}), 401},
		"unsigned":       {token("none", id, now, soon, func(string) []byte { return nil }), 401},
		"a user's token": {s.Person("ada").Token, 401},
	} {
		req, _ := http.NewRequest("GET", s.APIURL()+"/app", nil)
		req.Header.Set("Authorization", "Bearer "+c.token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, c.want)
		}
	}
}
