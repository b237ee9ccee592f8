package tfe_test

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state/tfe"
)

func TestOutputsOfStrangeStates(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want int
		well bool
	}{
		"none":            {`{"version":4,"resources":[{"outputs":{"no":{"value":1}}}]}`, 0, true},
		"null":            {`{"outputs":null,"resources":[]}`, 0, true},
		"at the end":      {`{"resources":[{"a":[1,{"b":"}"}]}],"outputs":{"a":{"value":1,"type":"number"},"b":{"value":{"x":[]},"type":["object",{}]}}}`, 2, true},
		"no state":        {`[]`, 0, true},
		"nothing":         {``, 0, false},
		"cut":             {`{"outputs":{"a":{"value":1`, 0, false},
		"another kind":    {`{"outputs":{"a":7}}`, 0, false},
		"long, elsewhere": {`{"lineage":"` + strings.Repeat("x", 17<<20) + `","outputs":{"a":{"value":1}}}`, 1, true},
	} {
		if n, err := tfe.ParseOutputs([]byte(c.text)); n != c.want || (err == nil) != c.well {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	large := `{"outputs":{"a":{"value":"` + strings.Repeat("x", 17<<20) + `"}}}`
	if _, err := tfe.ParseOutputs([]byte(large)); !errs.Is(err, errs.TooLarge) {
		t.Errorf("17 MB of outputs: %v", err)
	}
}
