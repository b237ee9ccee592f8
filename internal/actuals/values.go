package actuals

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// isNull reports whether a field has no value, as the vendors write it.
func isNull(s string) bool {
	switch s {
	case "", "NULL", "null", "Null", `\N`, "<null>":
		return true
	}
	return false
}

// amounts have at most so many digits before the point, and after it: more is
// no money, and sums of such numbers would fill the memory.
const (
	maxWhole = 18
	maxPlace = 60
)

// parseAmount reads a decimal number, with or without an exponent.
func parseAmount(s string) (decimal.Decimal, error) {
	s = strings.TrimSpace(s)
	if len(s) > 0 && strings.ContainsRune("=@", rune(s[0])) {
		return decimal.Zero, errors.New("is a formula, not a number. A spreadsheet has changed the file; export it again")
	}
	if len(s) > 100 {
		return decimal.Zero, errors.New("is too long for an amount")
	}
	if strings.ContainsAny(s, ", $€£ ") {
		return decimal.Zero, errors.New("is no plain number: it has separators or a currency's sign. FOCUS wants 1234.56")
	}
	for _, r := range s {
		if !strings.ContainsRune("0123456789.eE+-", r) {
			return decimal.Zero, errors.New("is no number")
		}
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return decimal.Zero, errors.New("is no number")
	}
	exp := int64(d.Exponent())
	if exp < -2*maxPlace || exp > maxWhole || int64(d.NumDigits())+exp > maxWhole {
		return decimal.Zero, fmt.Errorf("is out of bounds: amounts have at most %d digits before the point", maxWhole)
	}
	if exp < -maxPlace { // what a floating-point number of nothing looks like
		d = d.Round(maxPlace)
	}
	return d, nil
}

// layouts are how vendors and the databases between write a time.
var layouts = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -0700 MST", "2006-01-02 15:04:05-07", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02",
	"20060102T150405Z",
}

// parseTime reads a time; without a zone it is in UTC, as FOCUS wants it.
func parseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range layouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if name, offset := t.Zone(); name != "UTC" && name != "GMT" && name != "Z" && offset == 0 && strings.HasSuffix(layout, "MST") && !strings.Contains(layout, "-0700") {
			return time.Time{}, fmt.Errorf("is in the time zone %s, of which nobody knows what it means. FOCUS wants UTC", name)
		}
		if t.Year() < 2000 || t.Year() > 2200 {
			return time.Time{}, errors.New("is a time at which nobody was billed")
		}
		return t.UTC(), nil
	}
	if strings.Count(s, "/") == 2 {
		return time.Time{}, errors.New("may be a day or a month first. FOCUS wants 2006-01-02T15:04:05Z")
	}
	return time.Time{}, errors.New("is no time. FOCUS wants 2006-01-02T15:04:05Z")
}

// parseTags returns tags as JSON with sorted keys, "" for none. Beside FOCUS's
// object it takes Azure's, which may lack the braces, and the list of keys and
// values that Google's tables hold.
func parseTags(s string) (string, error) {
	s = strings.TrimSpace(s)
	if isNull(s) || s == "{}" || s == "[]" {
		return "", nil
	}
	tags := map[string]string{}
	if s[0] == '[' {
		var list []struct {
			Key   string `json:"key"`
			Value any    `json:"value"`
		}
		if err := decodeTags(s, &list); err != nil {
			return "", err
		}
		for _, t := range list {
			text, err := tagText(t.Value)
			if err != nil {
				return "", err
			}
			tags[t.Key] = text
		}
	} else {
		if s[0] == '"' {
			s = "{" + s + "}"
		}
		var object map[string]any
		if err := decodeTags(s, &object); err != nil {
			return "", err
		}
		for k, v := range object {
			text, err := tagText(v)
			if err != nil {
				return "", err
			}
			tags[k] = text
		}
	}
	return tagsJSON(tags), nil
}

func decodeTags(s string, into any) error {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if err := d.Decode(into); err != nil || d.More() {
		return errors.New("is no JSON object of tags. FOCUS wants {\"key\": \"value\"}")
	}
	return nil
}

func tagText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		if strings.ContainsRune(v, 0) {
			return "", errors.New("has a tag with a zero byte")
		}
		return v, nil
	case bool:
		return fmt.Sprint(v), nil
	case json.Number:
		return v.String(), nil
	}
	return "", errors.New("has a tag whose value is a list or an object. FOCUS wants text")
}

// tagsJSON writes tags in one way only, "" for none.
func tagsJSON(tags map[string]string) string {
	delete(tags, "")
	if len(tags) == 0 {
		return ""
	}
	var b strings.Builder
	for i, k := range slices.Sorted(maps.Keys(tags)) {
		if i > 0 {
			b.WriteByte(',')
		} else {
			b.WriteByte('{')
		}
		key, _ := json.Marshal(strings.ReplaceAll(k, "\x00", "")) // text is always JSON
		value, _ := json.Marshal(tags[k])
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.String()
}
