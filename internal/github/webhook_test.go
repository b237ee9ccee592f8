package github_test

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/redact"
)

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestGitHub01_SignatureOverRawBytes(t *testing.T) {
	secret := redact.NewSecret("s3cret")
	body := []byte(`{"action": "opened", "number": 1}`)
	if err := github.Verify(secret, sign("s3cret", body), body); err != nil {
		t.Errorf("a good signature is refused: %v", err)
	}
	// The same JSON, written differently, is not what was signed.
	if err := github.Verify(secret, sign("s3cret", body), []byte(`{"action":"opened","number":1}`)); !errs.Is(err, errs.Forbidden) {
		t.Errorf("other bytes of the same meaning: %v, want forbidden", err)
	}
	if err := github.Verify(redact.Secret{}, sign("", body), body); !errs.Is(err, errs.Forbidden) {
		t.Errorf("an empty secret: %v, want forbidden", err)
	}
}

func TestThreat_WebhookForgery(t *testing.T) {
	body := []byte(`{"action":"opened"}`)
	one := hmac.New(sha1.New, []byte("s3cret"))
	one.Write(body)
	good := sign("s3cret", body)
	for name, header := range map[string]string{
		"none":                 "",
		"SHA-1":                "sha1=" + hex.EncodeToString(one.Sum(nil)),
		"SHA-1 called SHA-256": "sha256=" + hex.EncodeToString(one.Sum(nil)),
		"another secret":       sign("guess", body),
		"empty secret":         sign("", body),
		"cut short":            good[:len(good)-2],
		"longer":               good + "00",
		"no prefix":            strings.TrimPrefix(good, "sha256="),
		"doubled prefix":       "sha256=" + good,
		"not hex":              "sha256=" + strings.Repeat("zz", 32),
		"of another body":      sign("s3cret", []byte(`{"action":"closed"}`)),
	} {
		err := github.Verify(redact.NewSecret("s3cret"), header, body)
		if !errs.Is(err, errs.Forbidden) {
			t.Errorf("%s: %v, want forbidden", name, err)
			continue
		}
		if strings.Contains(err.Error(), strings.TrimPrefix(good, "sha256=")) {
			t.Errorf("%s: the error gives the right signature away: %v", name, err)
		}
	}
	if err := github.Verify(redact.NewSecret("s3cret"), good, body); err != nil {
		t.Errorf("the genuine one: %v", err)
	}
}

// payloads are webhooks as GitHub has sent them.
func payloads(t testing.TB) []struct {
	Event string          `json:"event"`
	Body  json.RawMessage `json:"body"`
} {
	t.Helper()
	f, err := os.Open("testdata/payloads.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Payloads []struct {
			Event string          `json:"event"`
			Body  json.RawMessage `json:"body"`
		} `json:"payloads"`
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all.Payloads
}

func TestRecordedPayloadsParse(t *testing.T) {
	all := payloads(t)
	if len(all) != 329 {
		t.Fatalf("%d recorded payloads, there are 329", len(all))
	}
	seen := map[string]int{}
	for i, p := range all {
		e, err := github.ParseEvent(p.Event, p.Body)
		if err != nil {
			t.Errorf("payload %d (%s): %v", i, p.Event, err)
			continue
		}
		if e.Kind != p.Event {
			t.Errorf("payload %d: kind %q, want %q", i, e.Kind, p.Event)
		}
		seen[p.Event]++
		switch p.Event {
		case "pull_request":
			if e.Pull == nil || e.Number == 0 || e.Pull.HeadSHA == "" || e.Pull.BaseRepoID == 0 || e.Sender.Login == "" || e.Repo.ID == 0 {
				t.Errorf("payload %d: %+v lacks what every pull request has", i, e)
			}
			if e.Action == "synchronize" && (e.Before == "" || e.After == "") {
				t.Errorf("payload %d: synchronize without before and after", i)
			}
			if !e.Pull.Merged && e.Pull.MergeSHA != "" {
				t.Errorf("payload %d: a test commit passes for a merge", i)
			}
		case "issue_comment":
			if e.Comment == nil || e.Comment.Body == "" || e.Comment.Author == "" {
				t.Errorf("payload %d: %+v", i, e)
			}
		case "push":
			if e.Ref == "" || e.After == "" {
				t.Errorf("payload %d: %+v", i, e)
			}
			if e.Deleted != (strings.Trim(e.After, "0") == "") {
				t.Errorf("payload %d: deleted is %v and after %s", i, e.Deleted, e.After)
			}
		case "pull_request_review":
			if e.Review.State != github.ReviewState(strings.ToLower(string(e.Review.State))) || e.Review.State == "" {
				t.Errorf("payload %d: review state %q", i, e.Review.State)
			}
		case "installation":
			if e.Installation.ID == 0 || e.Installation.Account == "" {
				t.Errorf("payload %d: %+v", i, e.Installation)
			}
		case "merge_group":
			if e.Group.HeadSHA == "" || e.Group.Pull() != 104 || e.Group.Base() != "main" {
				t.Errorf("payload %d: %+v", i, e.Group)
			}
		case "check_suite":
			if e.Suite.HeadSHA == "" || e.Suite.AppID == 0 || (e.Action == "rerequested" && len(e.Suite.Pulls) == 0) {
				t.Errorf("payload %d: %+v", i, e.Suite)
			}
		case "status":
			if e.Status.SHA == "" || e.Status.Context == "" || e.Status.State == "" {
				t.Errorf("payload %d: %+v", i, e.Status)
			}
		case "repository":
			if (e.Action == "renamed") != (e.WasNamed != "") || (e.Action == "transferred") != (e.WasOwner != "") {
				t.Errorf("payload %d: %s of what was %q of %q", i, e.Action, e.WasNamed, e.WasOwner)
			}
		case "check_run":
			if e.Action == "requested_action" && e.Check.Identifier == "" {
				t.Errorf("payload %d: no button", i)
			}
		}
	}
	for _, kind := range []string{"pull_request", "issue_comment", "push", "pull_request_review", "installation", "installation_repositories", "check_run", "check_suite", "status", "repository", "merge_group"} {
		if seen[kind] == 0 {
			t.Errorf("no recorded %s", kind)
		}
	}
}

// What is cut off, or of another shape, is refused in words and does no harm.
func TestMalformedPayloads(t *testing.T) {
	for i, p := range payloads(t) {
		if _, err := github.ParseEvent(p.Event, p.Body[:len(p.Body)/2]); err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("payload %d cut: %v, want invalid", i, err)
		}
	}
	for _, c := range []struct{ event, body, says string }{
		{"pull_request", ``, "not what GitHub sends"},
		{"pull_request", `[]`, "not what GitHub sends"},
		{"pull_request", `{"action":"opened"}`, "no pull_request"},
		{"pull_request", `{"action":"opened","pull_request":{"number":"one"}}`, "not what GitHub sends"},
		{"pull_request", `{"action":"opened","pull_request":{"number":1}}`, "no repository"},
		{"issue_comment", `{"action":"created","comment":{"id":1},"repository":{"id":1}}`, "no issue"},
		{"push", `{"repository":{"id":1}}`, "no ref"},
		{"installation", `{"action":"created"}`, "no installation"},
		{"check_run", `{"action":"created","repository":{"id":1}}`, "no check_run"},
	} {
		_, err := github.ParseEvent(c.event, []byte(c.body))
		if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), c.says) {
			t.Errorf("%s %s: %v, want invalid with %q", c.event, c.body, err, c.says)
		}
	}
	e, err := github.ParseEvent("something_new", []byte("not even JSON"))
	if err != nil || e.Kind != "something_new" || e.Pull != nil {
		t.Errorf("an unknown kind: %+v, %v", e, err)
	}
}

func TestIssueCommentOnPlainIssue(t *testing.T) {
	body := `{"action":"created","issue":{"number":3},"comment":{"id":9,"body":"apply","user":{"login":"ada","id":1,"type":"User"}},"repository":{"id":1,"name":"r","owner":{"login":"o"}}}`
	e, err := github.ParseEvent("issue_comment", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if e.OnPull || e.Number != 0 {
		t.Errorf("a plain issue passes for a pull request: %+v", e)
	}
}

func FuzzParseEvent(f *testing.F) {
	for i, p := range payloads(f) {
		if i%20 == 0 {
			f.Add(p.Event, []byte(p.Body))
		}
	}
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		e, err := github.ParseEvent(event, bytes.Clone(body))
		if err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("%v is not classified as invalid", err)
		}
		if err == nil && e.Kind != event {
			t.Errorf("kind %q, want %q", e.Kind, event)
		}
	})
}
