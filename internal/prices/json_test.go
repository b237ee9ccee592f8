package prices

import (
	"encoding/json"
	"strings"
	"testing"
)

// skipAll reads a text over as one JSON value.
func skipAll(text string) error {
	j := newJSONReader(strings.NewReader(text))
	if err := j.skip(); err != nil {
		return err
	}
	return j.end()
}

// deep says whether values stand in one another deeper than is taken.
func deep(text string) bool {
	depth, most := 0, 0
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			most = max(most, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return most > maxDepth
}

// What is skipped is held to the same grammar as encoding/json's.
func FuzzJSONSkip(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, `null`, `0`, `-0.5e+10`, `01`, `1.`, `.5`, `1e`, `-`, `"a\u00e9\ud83d\ude00\n"`, `"\x"`, `"\ud83d"`, `{"a":[1,{"b":null}],"c":true}`,
		`{"a":1,}`, `[1,]`, `[,1]`, `{"a"}`, `{1:2}`, `tru`, `truex`, `nul`, "\"\n\"", `[1 2]`, "1\n", "[1\n,2\r\n]", `{"a":1}}`, ` `, `"`, `[`, `{"a":`, `-01`, `1e+`, `[]]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if deep(text) || strings.Contains(text, strings.Repeat("0", 300)) || len(text) > 400 {
			return
		}
		err := skipAll(text)
		if valid := json.Valid([]byte(text)); valid != (err == nil) {
			t.Errorf("%q: valid %v, but %v", text, valid, err)
		}
	})
}

// Strings come out as encoding/json reads them.
func FuzzJSONText(f *testing.F) {
	for _, s := range []string{`"a"`, `"\u00e9\ud83d\ude00\/\b"`, `"\ud83d"`, `"\ud83dx"`, `"\ud83d\u0041"`, "\"\xff\"", `"` + strings.Repeat("ab", 3000) + `"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want string
		if !strings.HasPrefix(text, `"`) || len(text) > maxText || json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		got, err := newJSONReader(strings.NewReader(text)).scalar()
		// encoding/json writes a replacement for each bad byte; one for a run
		// of them is as good.
		squeeze := func(s string) string {
			for strings.Contains(s, "��") {
				s = strings.ReplaceAll(s, "��", "�")
			}
			return s
		}
		if err != nil || squeeze(got) != squeeze(want) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	})
}

func TestJSONPlace(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "line 1, byte 1: it ends in the middle",
		"[1,\n 2":          "line 2, byte 6: it ends in the middle",
		"{\n \"a\": 1,\n}": "line 2, byte 10: invalid character ',' at start of value",
		"[1,\n2\n3]":       "line 3, byte 7: invalid character '3' after array element (expecting ',' or ']')",
		`{"a":1} x`:        "line 1, byte 9: something stands after the end",
		"{\"a\":1}\n\n{}":  "line 3, byte 10: something stands after the end",
		"\"a\tb\"":         "line 1, byte 3: invalid character '\\t' in string (expecting non-control character)",
	} {
		if err := skipAll(text); err == nil || err.Error() != want {
			t.Errorf("%.30q: %v, want %s", text, err, want)
		}
	}
}

// endless is a string that never closes.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	if e.read == 0 {
		p[0] = '"'
	}
	e.read += int64(len(p))
	return len(p), nil
}

func TestThreat_EndlessTokenOfAList(t *testing.T) {
	for _, read := range []func(j *jsonReader) error{
		func(j *jsonReader) error { return j.skip() },
		func(j *jsonReader) error { _, err := j.scalar(); return err },
	} {
		e := &endless{}
		if err := read(newJSONReader(e)); err == nil || !strings.Contains(err.Error(), "a string or number of more than 65536 bytes") || e.read > 2*maxText {
			t.Errorf("%v after %d bytes", err, e.read)
		}
	}
}
