package githubtest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/redact"
)

func sum(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func client(t *testing.T, s *githubtest.Server) *github.App {
	t.Helper()
	app, err := github.NewApp(github.Options{ID: s.AppID(), Key: redact.NewSecret(s.AppKey()), BaseURL: s.APIURL(), Writes: github.Pace{Off: true}})
	if err != nil {
		t.Fatal(err)
	}
	return app
}
