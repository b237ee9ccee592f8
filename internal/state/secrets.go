package state

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tidelock/tidelock/internal/redact"
)

// Secrets knows values that are secret, so that none of them is shown or kept
// where it stands a second time, unmarked. What is secret of a state must be
// told before anything of it is asked about.
type Secrets struct {
	exact  map[string]bool
	within []string
	masker *redact.Masker
}

// maxSecrets is how many are looked for inside of other values.
const maxSecrets = 2000

// NewSecrets returns one that knows none.
func NewSecrets() *Secrets { return &Secrets{exact: map[string]bool{}, masker: redact.NewMasker()} }

// Add takes a value as secret. Marked is one that the state or the plan marks;
// others have a name like a secret's, and may be a harmless name themselves.
func (s *Secrets) Add(value string, marked bool) {
	if len(value) < redact.MinLength || !marked && identifier.MatchString(value) || s.exact[value] {
		return
	}
	s.exact[value] = true
	if (marked || len(value) >= 12) && len(s.within) < maxSecrets {
		s.within = append(s.within, value)
	}
}

// AddAll takes every string of a value as secret.
func (s *Secrets) AddAll(v any) {
	switch v := v.(type) {
	case string:
		s.Add(v, true)
	case json.Number:
		s.Add(v.String(), true)
	case map[string]any:
		for _, inner := range v {
			s.AddAll(inner)
		}
	case []any:
		for _, inner := range v {
			s.AddAll(inner)
		}
	}
}

// Learn takes what is sensitive of an instance as secret.
func (s *Secrets) Learn(in Instance) {
	for _, a := range in.Attributes {
		s.addLeaf(leaf{text: a.JSON, sensitive: a.Sensitive}, a.Marked)
	}
}

func (s *Secrets) addLeaf(l leaf, marked bool) {
	if !l.sensitive {
		return
	}
	var v any
	if json.Unmarshal([]byte(l.text), &v) != nil {
		return
	}
	if text, ok := v.(string); ok {
		s.Add(text, marked)
	} else {
		s.Add(l.text, marked) // a number
	}
}

// Close ends the telling. Hides may be asked from then on.
func (s *Secrets) Close() { s.masker = redact.NewMasker(s.within...) }

// Hides reports whether a value is secret, has a secret in it, or looks like
// one.
func (s *Secrets) Hides(value string) bool {
	return s.exact[value] || looksSecret.MatchString(value) || s.masker.String(value) != value
}

func (s *Secrets) hidesLeaf(l leaf) bool {
	var text string
	if json.Unmarshal([]byte(l.text), &text) != nil {
		text = l.text
	}
	return s.Hides(text)
}

// identifier are values that name things: that one of them stands under a name
// like a secret's, as kms_key_id or secret_arn, does not make it one.
var identifier = regexp.MustCompile(`^(arn:|projects/|/subscriptions/|ocid1\.)`)

// looksSecret are values that are secrets whatever their name is: private keys,
// addresses with a password, and tokens of known forms.
var looksSecret = regexp.MustCompile(`PRIVATE KEY|://[^/\s:@]*:[^/\s@]+@|\beyJ[A-Za-z0-9_-]{10,}\.|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_|\bglpat-|\bxox[abprs]-|\b[sr]k_(live|test)_|\btlk_|\bAGE-SECRET-KEY-|\bSG\.[A-Za-z0-9_-]{16,}\.|(?i:passw(or)?d|secret|token|api_?key)["']?\s*[=:]`)

// What is sensitive only the provider's schema knows for sure, and the state
// has just a part of that. So names are looked at too: better one value hidden
// too many.
var (
	secretWord = regexp.MustCompile(`(?i)passw|passphrase|secret|token|private_?key|api_?key|access_?key|account_?key|primary_key|secondary_key|shared_key|sas_|credential|connection_string|certificate_pem|client_key|kube_?config|user_?data|\bpin\b|auth_?key|ssh_?key|\bpsk\b|pre_?shared`)
	secretType = regexp.MustCompile(`(?i)password|secret|private_key|access_key|token|credential|_key$`)
	// plainName are attributes that tell nothing of a resource that holds a
	// secret.
	plainName = regexp.MustCompile(`^(id|arn|name|name_prefix|region|tags(_all)?|length|(min_)?(lower|upper|numeric|special)|kms_key_id|description|path|status|version_id|create_date|keepers|algorithm|rsa_bits|ecdsa_curve|recovery_window_in_days|location|project|enabled)$`)
)

// A provider has a few thousand names, and the states of a client have them a
// million times: what the patterns said of a name is remembered.
var (
	secretName = remembered(secretWord)
	secretKind = remembered(secretType)
)

// remembered returns the pattern's MatchString, which remembers some thousand
// answers. Names that no provider would give are not kept.
func remembered(pattern *regexp.Regexp) func(string) bool {
	answers, err := lru.New[string, bool](4096)
	if err != nil {
		panic(err) // a size below one
	}
	return func(name string) bool {
		if len(name) > 64 {
			return pattern.MatchString(name)
		}
		answer, known := answers.Get(name)
		if !known {
			answer = pattern.MatchString(name)
			answers.Add(strings.Clone(name), answer)
		}
		return answer
	}
}

func secretPath(resource string, path []string) bool {
	if slices.ContainsFunc(path, secretName) {
		return true
	}
	// What another state marks as sensitive has no mark where it is read.
	if resource == "terraform_remote_state" && path[0] == "outputs" {
		return true
	}
	return secretKind(resource) && !plainName.MatchString(path[0])
}
