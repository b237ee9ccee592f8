package doctor

import (
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/github/githubtest/contract"
)

// What the stand-in is asked and what it answers is held against GitHub's own
// contract.
func init() { githubtest.Enforce(contract.New) }
