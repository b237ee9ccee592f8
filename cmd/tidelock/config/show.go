package config

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/redact"
)

// Write prints the configuration in force as a file could hold it, each value
// that somebody set with its source.
func (l *Reading) Write(w io.Writer) error {
	var b strings.Builder
	for _, sec := range sections {
		margin := ""
		if sec.name != "" {
			fmt.Fprintf(&b, "\n%s {\n", sec.name)
			margin = "  "
		}
		width := 0
		for _, s := range inSection(sec.name) {
			_, attr := s.split()
			width = max(width, len(attr))
		}
		for _, s := range inSection(sec.name) {
			_, attr := s.split()
			line := fmt.Sprintf("%s%-*s = %s", margin, width, attr, l.shown(s))
			if _, secret := s.bind(&l.Config).(*redact.Secret); secret && !s.inline {
				line = fmt.Sprintf("%s# %s: %s", margin, attr, l.shown(s)) // may not stand in a file
			}
			if o := l.source(s); o.rank != rankDefault {
				line += " # from " + o.where
			}
			b.WriteString(line + "\n")
		}
		if sec.name == "cost" {
			l.writeCost(&b)
		}
		if sec.name != "" {
			b.WriteString("}\n")
		}
	}
	l.writeGates(&b)
	l.writeSecrets(&b)
	l.writeWrappingKeys(&b)
	l.writePolicies(&b)
	l.writeBilling(&b)
	l.writeBudgets(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// shown is the setting's value in the file's syntax, a secret masked.
func (l *Reading) shown(s setting) string {
	if s.path == "database" {
		return strconv.Quote(l.Config.DatabaseShown())
	}
	return showValue(s.bind(&l.Config))
}

// Value returns the value of the setting with this name, such as
// "github.app_id", as a script would take it; a secret masked. ok is whether
// there is such a setting.
func (l *Reading) Value(name string) (value string, ok bool) {
	s, ok := settingAt(name)
	if !ok {
		return "", false
	}
	return l.plain(s), true
}

// plain is the setting's value as a script would take it.
func (l *Reading) plain(s setting) string {
	if text, err := strconv.Unquote(l.shown(s)); err == nil {
		return text
	}
	return l.shown(s)
}

// Shown is one setting in JSON.
type Shown struct {
	Value  any    `json:"value"`
	Source string `json:"source"`        // "default", a place in the file or a variable
	Env    string `json:"env,omitempty"` // "" where only the file can hold it
}

// JSON returns all settings and blocks by name, secrets masked.
func (l *Reading) JSON() map[string]Shown {
	all := map[string]Shown{}
	for _, s := range settings {
		shown := Shown{Source: "default", Env: EnvName(s.path)}
		if o := l.source(s); o.rank != rankDefault {
			shown.Source = o.where
		}
		switch v := s.bind(&l.Config).(type) {
		case *redact.Secret:
			shown.Value = l.plain(s)
		case *time.Duration:
			shown.Value = ShowDuration(*v)
		case *[]string:
			shown.Value = append([]string{}, *v...)
		default:
			shown.Value = v
		}
		all[s.path] = shown
	}
	l.gatesJSON(all)
	l.secretsJSON(all)
	l.wrappingKeysJSON(all)
	l.policiesJSON(all)
	l.costJSON(all)
	l.billingJSON(all)
	l.budgetsJSON(all)
	return all
}

func inSection(name string) []setting {
	var found []setting
	for _, s := range settings {
		if block, _ := s.split(); block == name {
			found = append(found, s)
		}
	}
	return found
}

// showValue renders a field in the file's syntax; a secret only as set or not.
func showValue(target any) string {
	switch v := target.(type) {
	case *string:
		return strconv.Quote(*v)
	case *redact.Secret:
		if v.Empty() {
			return "not set"
		}
		return redact.Mask
	case *bool:
		return strconv.FormatBool(*v)
	case *int:
		return strconv.Itoa(*v)
	case *int64:
		return strconv.FormatInt(*v, 10)
	case *time.Duration:
		return strconv.Quote(ShowDuration(*v))
	case *[]string:
		quoted := make([]string, len(*v))
		for i, item := range *v {
			quoted[i] = strconv.Quote(item)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case *map[string]string:
		var pairs []string
		for _, k := range slices.Sorted(maps.Keys(*v)) {
			pairs = append(pairs, fmt.Sprintf("%q = %q", k, (*v)[k]))
		}
		if len(pairs) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(pairs, ", ") + " }"
	}
	return fmt.Sprint(target)
}

// ShowDuration writes "1h" where Duration.String has "1h0m0s".
func ShowDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
