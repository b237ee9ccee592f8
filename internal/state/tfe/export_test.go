package tfe

import (
	"bytes"

	"github.com/tidelock/tidelock/internal/state"
)

// Routes returns method, path and scope of every route.
func Routes() [][3]string {
	var all [][3]string
	for _, r := range routes {
		all = append(all, [3]string{r.method, r.path, string(r.scope)})
	}
	return all
}

var (
	Wildcard     = wildcard
	ParseOutputs = func(text []byte) (int, error) {
		all, err := state.ParseOutputs(bytes.NewReader(text))
		return len(all), err
	}
)
