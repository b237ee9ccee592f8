package main

import (
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
)

// TestSettingsReachTheBot: what the file says of gates, budgets and writes is
// what the bot and GitHub's client are given.
func TestSettingsReachTheBot(t *testing.T) {
	_, file := configtest.Good(t, "gate \"apply\" { approvals = 2 }\nbudget \"all\" { amount = 100 }\n")
	for _, interval := range []string{"1s", "0s"} {
		c, problems := config.Load(file, []string{"TIDELOCK_GITHUB_WRITE_INTERVAL=" + interval})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if s := botSettings(c); s.Gates.Apply.Approvals != 2 || !s.Budgets {
			t.Errorf("the bot does not get them: %+v", s)
		}
		if o := appOptions(c, nil); o.Writes.Off != (interval == "0s") {
			t.Errorf("every %s: %+v", interval, o.Writes)
		}
	}
}
