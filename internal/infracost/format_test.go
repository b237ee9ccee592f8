package infracost_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// format is testdata/format.txt: by object and field, what the field is.
type format map[string]map[string]formatField

type formatField struct {
	is   string
	must bool
}

func readFormat(t testing.TB) format {
	t.Helper()
	text, err := os.ReadFile("testdata/format.txt")
	if err != nil {
		t.Fatal(err)
	}
	f, object := format{}, ""
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "object":
			object = words[1]
			f[object] = map[string]formatField{}
		default:
			name, must := strings.CutSuffix(words[0], "!")
			f[object][name] = formatField{words[1], must}
		}
	}
	return f
}

// check reports where a file is not of the format.
func (f format) check(t testing.TB, data []byte) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	for _, p := range f.problems("file", "file", v) {
		t.Error(p)
	}
}

func (f format) problems(at, is string, v any) []string {
	wrong := func(ok bool) []string {
		if ok {
			return nil
		}
		return []string{fmt.Sprintf("%s is %v, not %s", at, v, is)}
	}
	text, isText := v.(string)
	list, isList := v.([]any)
	object, isObject := v.(map[string]any)
	var out []string
	switch {
	case is == "any":
		return nil
	case is == "text":
		return wrong(isText)
	case is == "flag":
		_, ok := v.(bool)
		return wrong(ok)
	case is == "count":
		n, ok := v.(json.Number)
		_, err := n.Int64()
		return wrong(ok && err == nil)
	case is == "time":
		_, err := time.Parse(time.RFC3339, text)
		return wrong(isText && err == nil)
	case is == "amount?" && v == nil:
		return nil
	case strings.HasPrefix(is, "amount"):
		_, err := decimal.NewFromString(text)
		return wrong(isText && err == nil)
	case strings.HasPrefix(is, "["):
		if !isList {
			return wrong(false)
		}
		for i, e := range list {
			out = append(out, f.problems(fmt.Sprintf("%s[%d]", at, i), strings.Trim(is, "[]"), e)...)
		}
		return out
	case !isObject:
		return wrong(false)
	case strings.HasPrefix(is, "{"):
		for name, e := range object {
			out = append(out, f.problems(at+"."+name, strings.Trim(is, "{}"), e)...)
		}
		return out
	}
	fields, known := f[is]
	if !known {
		return []string{"format.txt has no object " + is}
	}
	for name, e := range object {
		field, ok := fields[name]
		if !ok {
			out = append(out, at+"."+name+" is not in the format")
			continue
		}
		out = append(out, f.problems(at+"."+name, field.is, e)...)
	}
	for name, field := range fields {
		if _, ok := object[name]; field.must && !ok {
			out = append(out, at+"."+name+" is missing")
		}
	}
	return out
}

// TestFormat holds the format against a file that Infracost could have
// written, and the checker against files that it could not.
func TestFormat(t *testing.T) {
	f, data := readFormat(t), fixture(t)
	f.check(t, data)
	for _, change := range [][2]string{
		{`"price": "0.0416"`, `"price": 0.0416`},
		{`"priceNotFound": false`, `"found": true`},
		{`"displayName": "",`, ``},
		{`"timeGenerated": "2026`, `"timeGenerated": "in 2026`},
		{`"totalDetectedResources": 8`, `"totalDetectedResources": 8.5`},
	} {
		var v any
		broken := bytes.Replace(data, []byte(change[0]), []byte(change[1]), 1)
		d := json.NewDecoder(bytes.NewReader(broken))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if len(f.problems("file", "file", v)) == 0 {
			t.Errorf("%s in the place of %s is of the format", change[1], change[0])
		}
	}
}
