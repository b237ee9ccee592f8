package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
)

// Figures are for this machine alone, unless a token or an explicit word says
// otherwise.
func TestMetricsStayOnThisMachineUnlessSomebodySaysOtherwise(t *testing.T) {
	const long = "TIDELOCK_METRICS_TOKEN=a-token-of-sixteen-or-more"
	for _, tc := range []struct {
		block, env string
		wrong      string // what the one problem says, "" for none
	}{
		{`listen = "127.0.0.1:9464"`, "", ""},
		{`listen = "[::1]:9464"`, "", ""},
		{`listen = "localhost:9464"`, "", ""},
		{`listen = "127.0.0.1:9464"`, long, ""},
		{`listen = "10.0.3.7:9464"`, long, ""},
		{`listen = ":9464"`, long, ""},
		{"listen = \"0.0.0.0:9464\"\n  without_token = true", "", ""},
		{"listen = \"10.0.3.7:9464\"\n  token_file = \"token\"", "", ""},
		{`listen = "10.0.3.7:9464"`, "", "is reached by other machines"},
		{`listen = ":9464"`, "", "is reached by other machines"},
		{`listen = "[::]:9464"`, "", "is reached by other machines"},
		{`listen = "metrics.example.com:9464"`, "", "is reached by other machines"},
		{`listen = "127.0.0.1"`, "", "must be an address and a port"},
		{`listen = "127.0.0.1:8080"`, "", "has the port of listen, 8080"},
		{`listen = "127.0.0.1:9464"`, "TIDELOCK_METRICS_TOKEN=short", "has 5 characters"},
		{"listen = \"127.0.0.1:9464\"\n  without_token = true", long, "keep one of them"},
		{`token = "a-token-of-sixteen-or-more"`, "", "must not stand in the configuration file"},
	} {
		dir, file := configtest.Good(t, "metrics {\n  "+tc.block+"\n}\n")
		if err := os.WriteFile(filepath.Join(dir, "token"), []byte("a-token-of-sixteen-or-more\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, problems := Load(file, []string{tc.env})
		switch {
		case tc.wrong == "" && problems.Err() != nil:
			t.Errorf("%s, %s: %v", tc.block, tc.env, problems.Err())
		case tc.wrong != "" && (len(problems) != 1 || !strings.Contains(problems[0].Message, tc.wrong)):
			t.Errorf("%s, %s: %v does not say %q", tc.block, tc.env, problems, tc.wrong)
		}
		if tc.wrong == "" && strings.Contains(tc.block, "token_file") && c.Metrics.Token.Reveal() != "a-token-of-sixteen-or-more" {
			t.Errorf("the token is %q", c.Metrics.Token.Reveal())
		}
	}
}
