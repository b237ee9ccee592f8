package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/url"
	"sort"
	"strings"
)

// Mask is what stands in place of a secret.
const Mask = "(redacted)"

// Secret is a value that must not be shown. Every way of formatting it gives
// Mask; only Reveal returns the value.
type Secret struct{ value string }

// NewSecret wraps value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value. Call it where the value is used, never to hand it
// on as a string.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s.value == "" }

// String, GoString, MarshalText, MarshalJSON and LogValue all give Mask, an
// empty secret's too: whether a secret is set is nobody's business either.
func (s Secret) String() string               { return Mask }
func (s Secret) GoString() string             { return Mask }
func (s Secret) MarshalText() ([]byte, error) { return []byte(Mask), nil }
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(Mask) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(Mask) }

// MinLength is the length in bytes below which a value is not masked in free
// text: replacing "a" or "true" everywhere would hide the text, not the secret.
const MinLength = 6

// Masker replaces known secrets in text. The zero Masker changes nothing. It
// is safe for concurrent use: it never changes after NewMasker.
type Masker struct {
	replacer *strings.Replacer // nil for none
	forms    []string          // what it replaces
}

// NewMasker returns a masker for the values, in the plain and as base64
// (standard and URL, every alignment inside a longer text), hex, URL and JSON
// escapes. Values of fewer than six bytes are left alone.
func NewMasker(values ...string) *Masker {
	seen := map[string]bool{}
	var forms []string
	add := func(s string) {
		if len(s) >= MinLength && !seen[s] {
			seen[s] = true
			forms = append(forms, s)
		}
	}
	for _, v := range values {
		if len(v) < MinLength {
			continue
		}
		add(v)
		for _, line := range strings.Split(v, "\n") {
			add(strings.TrimSpace(line)) // a PEM key printed line by line
		}
		add(url.QueryEscape(v))
		add(url.PathEscape(v))
		add(hex.EncodeToString([]byte(v)))
		add(strings.ToUpper(hex.EncodeToString([]byte(v))))
		if quoted, err := json.Marshal(v); err == nil {
			add(string(quoted[1 : len(quoted)-1]))
		}
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			for _, form := range base64Forms(enc, v) {
				add(form)
			}
		}
	}
	if len(forms) == 0 {
		return &Masker{}
	}
	// The longest first, so that no form is cut in half by a shorter one.
	sort.SliceStable(forms, func(i, j int) bool { return len(forms[i]) > len(forms[j]) })
	pairs := make([]string, 0, 2*len(forms))
	for _, f := range forms {
		pairs = append(pairs, f, Mask)
	}
	return &Masker{strings.NewReplacer(pairs...), forms}
}

// base64Forms returns what v looks like inside the base64 of a longer text:
// once for each of the three alignments, without the characters that its
// neighbours share, and whole.
func base64Forms(enc *base64.Encoding, v string) []string {
	forms := []string{enc.EncodeToString([]byte(v)), enc.WithPadding(base64.NoPadding).EncodeToString([]byte(v))}
	for shift := range 3 {
		padded := strings.Repeat("\x00", shift) + v
		s := enc.WithPadding(base64.NoPadding).EncodeToString([]byte(padded))
		lead := (shift*8 + 5) / 6 // characters that hold bits of the neighbour before
		tail := 0
		if len(padded)%3 != 0 {
			tail = 1 // the last character holds bits of the neighbour behind
		}
		if lead+tail < len(s) {
			forms = append(forms, s[lead:len(s)-tail])
		}
	}
	return forms
}

// String returns text with every known secret replaced by Mask.
func (m *Masker) String(text string) string {
	if m == nil || m.replacer == nil {
		return text
	}
	return m.replacer.Replace(text)
}

// Bytes is String for bytes.
func (m *Masker) Bytes(text []byte) []byte {
	if m == nil || m.replacer == nil {
		return text
	}
	return []byte(m.replacer.Replace(string(text)))
}
