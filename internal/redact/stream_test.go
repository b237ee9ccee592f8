package redact_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/redact"
)

// stream masks a text that comes in parts.
func stream(t *testing.T, m *redact.Masker, parts ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := m.Writer(&out)
	for _, p := range parts {
		if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
			t.Fatalf("wrote %d of %d bytes: %v", n, len(p), err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A secret is masked wherever the text is cut, in two and in three.
func TestThreat_StreamMasksSecretsThatStraddle(t *testing.T) {
	m := redact.NewMasker(canary)
	text := "a " + canary + " b"
	want := m.String(text)
	for i := range len(text) + 1 {
		for j := i; j <= len(text); j++ {
			if got := stream(t, m, text[:i], text[i:j], text[j:]); got != want {
				t.Fatalf("cut at %d and %d: %q", i, j, got)
			}
		}
	}
}

// Whatever the secrets and however the text is cut, the stream gives what the
// masker gives for the whole. The alphabet is small, so that secrets overlap,
// begin within each other, and repeat.
func TestStreamIsTheWholeText(t *testing.T) {
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		word := func(n int) string {
			b := make([]byte, n)
			for i := range b {
				b[i] = "ab\n"[rnd.IntN(3)]
			}
			return string(b)
		}
		secrets := make([]string, 1+rnd.IntN(5))
		for i := range secrets {
			secrets[i] = word(4 + rnd.IntN(12))
		}
		m := redact.NewMasker(secrets...)
		var text strings.Builder
		for range rnd.IntN(30) {
			if rnd.IntN(3) == 0 {
				s := secrets[rnd.IntN(len(secrets))]
				text.WriteString(s[:rnd.IntN(len(s)+1)])
			} else {
				text.WriteString(word(rnd.IntN(20)))
			}
		}
		var parts []string
		for rest := text.String(); rest != ""; {
			n := min(len(rest), 1+rnd.IntN(15))
			parts, rest = append(parts, rest[:n]), rest[n:]
		}
		if got, want := stream(t, m, parts...), m.String(text.String()); got != want {
			t.Fatalf("seed %d: secrets %q, parts %q:\n%q, not\n%q", seed, secrets, parts, got, want)
		}
	}
}

// A long text with a secret over each of the places where the stream itself
// cuts it, in one write.
func TestStreamOfALongWrite(t *testing.T) {
	m := redact.NewMasker(canary, "another-secret")
	text := []byte(strings.Repeat("0123456789abcde\n", 40_000))
	for at := 64<<10 - 5; at < len(text)-len(canary); at += 64 << 10 {
		copy(text[at:], canary)
	}
	if got, want := stream(t, m, string(text)), m.String(string(text)); got != want || strings.Contains(got, canary) {
		t.Errorf("%d bytes, not %d", len(got), len(want))
	}
}

func TestStreamOfNoSecrets(t *testing.T) {
	if got := stream(t, redact.NewMasker(), "a", "b"); got != "ab" {
		t.Errorf("%q", got)
	}
	if got := stream(t, nil, "a"); got != "a" {
		t.Errorf("%q", got)
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestStreamTellsThatItCannotWrite(t *testing.T) {
	w := redact.NewMasker(canary).Writer(broken{})
	if _, err := w.Write(make([]byte, 1<<20)); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	if err := w.Close(); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}

// The memory of a stream does not grow with its text.
func TestStreamMemory(t *testing.T) {
	values := make([]string, 200)
	for i := range values {
		values[i] = fmt.Sprintf("secret-value-number-%06d", i)
	}
	w := redact.NewMasker(values...).Writer(io.Discard)
	chunk := bytes.Repeat([]byte("terraform_data.a[17]: Refreshing state... [id=secret-value-number-000017]\n"), 500)
	if _, err := w.Write(chunk); err != nil { // it has its buffers now
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 16 << 20 / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated for 16 MB of text", n)
	}
}

func BenchmarkStream(b *testing.B) {
	values := make([]string, 200)
	for i := range values {
		values[i] = fmt.Sprintf("secret-value-number-%06d", i)
	}
	w := redact.NewMasker(values...).Writer(io.Discard)
	chunk := bytes.Repeat([]byte("terraform_data.a[17]: Refreshing state... [id=0190-4fe2]\n"), 1000)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := w.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
}
