package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/redact"
)

const canary = "canary-5f3e9a/+value=="

func TestThreat_SecretNeverPrints(t *testing.T) {
	s := redact.NewSecret(canary)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("token", "secret", s, "nested", struct{ S redact.Secret }{s})
	js, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	for how, text := range map[string]string{
		"%v": fmt.Sprintf("%v", s), "%+v": fmt.Sprintf("%+v", s), "%#v": fmt.Sprintf("%#v", s),
		"String": s.String(), "%q": fmt.Sprintf("%q", s), "pointer": fmt.Sprintf("%+v", &s),
		"struct": fmt.Sprintf("%+v", struct{ S redact.Secret }{s}), "json": string(js), "slog": log.String(),
	} {
		if strings.Contains(text, canary) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
	if s.Reveal() != canary {
		t.Error("Reveal lost the value")
	}
}

func TestThreat_MaskerFindsEncodedSecrets(t *testing.T) {
	m := redact.NewMasker(canary)
	for name, text := range map[string]string{
		"plain":           "token=" + canary + ";",
		"base64":          base64.StdEncoding.EncodeToString([]byte(canary)),
		"base64, 1 ahead": base64.StdEncoding.EncodeToString([]byte("x" + canary + "yz")),
		"base64, 2 ahead": base64.StdEncoding.EncodeToString([]byte("xy" + canary + "z")),
		"base64, basic":   base64.StdEncoding.EncodeToString([]byte("x-access-token:" + canary)),
		"base64 url":      base64.URLEncoding.EncodeToString([]byte("ab" + canary)),
		"hex":             hex.EncodeToString([]byte(canary)),
		"url":             "https://x/?q=canary-5f3e9a%2F%2Bvalue%3D%3D",
	} {
		got := m.String(text)
		if !strings.Contains(got, redact.Mask) {
			t.Errorf("%s: nothing was masked in %q", name, text)
		}
	}
	if got := m.String("an innocent text"); got != "an innocent text" {
		t.Errorf("innocent text became %q", got)
	}
}

func TestMaskerLeavesShortValuesAlone(t *testing.T) {
	if got := redact.NewMasker("a", "true").String("a true story"); got != "a true story" {
		t.Errorf("got %q", got)
	}
}
