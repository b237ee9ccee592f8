package githubtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Checker holds traffic against GitHub's contract, and reports what does not
// fit to whoever it was made for. Package contract has the one that there is.
type Checker interface {
	// REST checks one exchange. path is the route in the form that the
	// contract knows: with owner and name, below the API's root.
	REST(r *http.Request, path string, body []byte, status int, header http.Header, answer []byte)
	// Webhook checks a payload against the schema of event and action.
	Webhook(event, action string, payload []byte)
}

// newChecker is what Enforce was given.
var newChecker func(report func(string)) (Checker, error)

// Enforce says what makes a Checker: contract.New. Every test package that uses
// New calls it from an init function. This package does not import it itself,
// since it is linked into the product for the demo, and all that the validators
// set up when a program starts would be paid for by every run.
func Enforce[C Checker](makes func(report func(string)) (C, error)) {
	newChecker = func(report func(string)) (Checker, error) { return makes(report) }
}

// contract is GitHub's contract, of which GraphQL's part is checked here.
type contract struct {
	Checker
	report func(string)
}

func newContract(report func(string)) (*contract, error) {
	if newChecker == nil {
		return nil, errors.New("nothing is there to check GitHub's contract: call githubtest.Enforce(contract.New) from the test package's init function")
	}
	c, err := newChecker(report)
	if err != nil {
		return nil, fmt.Errorf("GitHub's contract: %w", err)
	}
	return &contract{c, report}, nil
}

// brief cuts an error to what a test's reader needs.
func brief(text string) string {
	if len(text) > 1500 {
		text = text[:1500] + " …"
	}
	return text
}

// nullBody reports whether a body says nothing: ghinstallation sends a literal
// null where it has nothing to say.
func nullBody(body []byte) bool {
	var v any
	return len(bytes.TrimSpace(body)) == 0 || json.Unmarshal(body, &v) == nil && v == nil
}
