package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/redact"
)

// envKnown are the variables beside the settings that the program reads, here
// or elsewhere.
var envKnown = map[string]bool{
	"TIDELOCK_CONFIG": true, // the configuration file
	"TIDELOCK_CACHE":  true, // where the demo, the tests and the benchmarks keep the tools that they build
	"TIDELOCK_TOKEN":  true, // of whoever calls a command that asks who it is
}

// readEnv reads the environment over what the file said.
func (l *Reading) readEnv() {
	rest := maps.Clone(l.env)
	for _, s := range settings {
		name := EnvName(s.path)
		text, ok := rest[name]
		if !ok {
			continue
		}
		delete(rest, name)
		if wrong := parseText(s.bind(&l.Config), text); wrong != "" {
			l.problem(s.path, name, "%s %s", name, wrong)
			l.broken[s.path] = true
			continue
		}
		delete(l.broken, s.path) // what the file said no longer counts
		l.origins[s.path] = origin{rank: rankEnv, where: name, dir: "."}
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		if envKnown[name] || fromKubernetes(name) {
			continue
		}
		l.warn("", name, "%s is not a setting of Tidelock and has no effect.%s", name, didYouMean(name))
	}
}

// fromKubernetes recognises the variables that Kubernetes sets in every pod
// beside a service named tidelock.
func fromKubernetes(name string) bool {
	return name == "TIDELOCK_PORT" || strings.HasPrefix(name, "TIDELOCK_PORT_") || strings.HasPrefix(name, "TIDELOCK_SERVICE_")
}

// didYouMean names the setting's variable that is closest to a mistyped one.
func didYouMean(name string) string {
	best, distance := "", 4 // further off is another word, not a slip
	for _, s := range settings {
		if d := editDistance(name, EnvName(s.path)); d < distance {
			best, distance = EnvName(s.path), d
		}
	}
	if best == "" {
		return ""
	}
	return " Did you mean " + best + "?"
}

// editDistance counts the letters to insert, delete or replace between a and b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// isParsed reports whether a field is written as a string in the file too and
// parsed by parseText.
func isParsed(target any) bool {
	switch target.(type) {
	case *time.Duration, *redact.Secret:
		return true
	}
	return false
}

// fresh empties lists and maps, so that a value replaces the default instead
// of adding to it, and returns target.
func fresh(target any) any {
	switch target := target.(type) {
	case *[]string:
		*target = nil
	case *map[string]string:
		*target = nil
	}
	return target
}

// parseText sets target from the text of an environment variable. It returns
// what is wrong with it, as the end of a sentence that begins with the
// setting's name. It never shows the text of a secret.
func parseText(target any, text string) string {
	switch target := target.(type) {
	case *string:
		*target = text
	case *redact.Secret:
		*target = redact.NewSecret(text)
	case *bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Sprintf("must be true or false, but is %q.", text)
		}
		*target = b
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Sprintf("must be a whole number, but is %q.", text)
		}
		*target = n
	case *int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Sprintf("must be a whole number, but is %q.", text)
		}
		*target = n
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Sprintf(`must be a duration such as "90s", "15m" or "4h", but is %q.`, text)
		}
		*target = d
	case *[]string:
		*target = nil
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				*target = append(*target, item)
			}
		}
	case *map[string]string:
		*target = map[string]string{}
		for item := range strings.SplitSeq(text, ",") {
			key, value, ok := strings.Cut(item, "=")
			if !ok {
				return fmt.Sprintf(`must be pairs such as "rule-one=advisory,rule-two=off", but holds %q.`, item)
			}
			(*target)[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	default:
		panic(fmt.Sprintf("a setting of type %T", target)) // a row of our own table; TestSettingsCoverConfig
	}
	return ""
}

// typeOf says what a field takes, in words.
func typeOf(target any) string {
	switch target.(type) {
	case *string, *redact.Secret:
		return "a string"
	case *bool:
		return "true or false"
	case *int, *int64:
		return "a whole number"
	case *time.Duration:
		return `a duration such as "90s", "15m" or "4h"`
	case *[]string:
		return "a list of strings"
	case *map[string]string:
		return "a map of strings"
	}
	return fmt.Sprintf("%T", target)
}

// Lookup returns os.LookupEnv for environ.
func Lookup(environ []string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, kv := range environ {
			if k, v, ok := strings.Cut(kv, "="); ok && k == name {
				return v, true
			}
		}
		return "", false
	}
}
