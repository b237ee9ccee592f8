package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/internal/redact"
)

const referenceHead = `# Configuration

<!-- Made from the table of settings by: go test ./cmd/tidelock/config -run TestConfigurationReference -update -->

The server reads one file in HCL, and over it the environment. The file is the first of these that is there:

1. what ` + "`--config`" + ` names
2. what ` + "`$TIDELOCK_CONFIG`" + ` names
3. ` + "`tidelock-server.hcl`" + ` in the working directory
4. ` + "`/etc/tidelock/tidelock-server.hcl`" + `

Every setting can also be given by an environment variable, and that goes before the file; without a file the
environment alone will do. An empty variable counts as not set. Lists are written with commas (` + "`AWS_REGION,AWS_PROFILE`" + `),
maps as pairs (` + "`rule-one=advisory,rule-two=off`" + `), durations as in ` + "`90s`, `15m`, `4h`" + `.

**Secrets never stand in the file.** They come by their environment variable, or stand in a file of their own that a
setting ending in ` + "`_file`" + ` names.

Relative paths in the file are relative to the file's folder, those in the environment to the working directory.

` + "`tidelock config check`" + ` reports everything that is wrong, with file and line. ` + "`tidelock config show`" + ` shows what is in
force and where it comes from. ` + "`tidelock doctor`" + ` also tries whether it works. A whole file to start from is
[tidelock-server.example.hcl](tidelock-server.example.hcl).
`

// reference renders docs/configuration.md from the table of settings.
func reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	defaults := Default()
	for _, sec := range sections {
		title := "The server"
		if sec.name != "" {
			title = "`" + sec.name + "`"
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| setting | default | what it does |\n|---|---|---|\n", title, sec.doc)
		for _, s := range inSection(sec.name) {
			_, attr := s.split()
			def := s.derived
			if def == "" {
				def = "`" + showValue(s.bind(&defaults)) + "`"
			}
			kind := typeOf(s.bind(&defaults))
			if _, secret := s.bind(&defaults).(*redact.Secret); secret && !s.inline {
				kind = "secret, by the variable only"
			} else if s.isPath {
				kind = "path"
			}
			kind, _, _ = strings.Cut(strings.TrimPrefix(kind, "a "), " such as")
			fmt.Fprintf(&b, "| **`%s`**<br>%s<br>`%s` | %s | %s |\n", attr, kind, EnvName(s.path), def, strings.ReplaceAll(s.doc, "|", "\\|"))
		}
		if sec.name == "cost" {
			b.WriteString(costReference())
		}
	}
	b.WriteString(gatesReference())
	b.WriteString(secretsReference())
	b.WriteString(wrappingReference())
	b.WriteString(policiesReference())
	b.WriteString(billingReference())
	b.WriteString(budgetsReference())
	return b.String()
}

// TestConfigurationReference keeps docs/configuration.md from going stale.
func TestConfigurationReference(t *testing.T) {
	golden(t, filepath.Join("..", "..", "..", "docs", "configuration.md"), reference())
}

// TestExampleConfiguration loads the example that the documentation hands out,
// with the files beside it that it names, and finds every setting in it.
func TestExampleConfiguration(t *testing.T) {
	const name = "tidelock-server.example.hcl"
	text := read(t, filepath.Join("..", "..", "..", "docs", name))
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "secrets", "github-app.pem"), configtest.Key())
	write(t, filepath.Join(dir, "secrets", "webhook.secret"), configtest.WebhookSecret)
	write(t, filepath.Join(dir, name), text)
	c, problems := Load(filepath.Join(dir, name), nil)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	if c.GitHub.AppID == 0 || c.DataDir != "/var/lib/tidelock" {
		t.Errorf("loaded %+v", c)
	}
	for _, s := range settings {
		if _, secret := s.bind(&c).(*redact.Secret); secret && !s.inline {
			continue
		}
		block, attr := s.split()
		if block != "" {
			_, after, found := strings.Cut(text, "\n"+block+" {")
			if !found {
				t.Errorf("the example has no block %s", block)
				continue
			}
			inner, _, _ := strings.Cut(after, "\n}")
			if !mentions(inner, attr) {
				t.Errorf("the example's block %s does not mention %s", block, attr)
			}
		} else if !mentions(text, attr) {
			t.Errorf("the example does not mention %s", attr)
		}
	}
	// Uncommented, its optional lines are right too.
	write(t, filepath.Join(dir, "all.hcl"), uncomment(text))
	if _, problems := Load(filepath.Join(dir, "all.hcl"), nil); len(problems) > 0 {
		for _, p := range problems {
			if !strings.Contains(p.Message, "does not exist") && !strings.Contains(p.Message, "both set") {
				t.Errorf("uncommented: %s", p)
			}
		}
	}
}

// mentions reports whether a line of text sets attr, commented out or not.
func mentions(text, attr string) bool {
	for line := range strings.Lines(text) {
		if fields := strings.Fields(strings.TrimLeft(line, " #")); len(fields) > 1 && fields[0] == attr && fields[1] == "=" {
			return true
		}
	}
	return false
}

// uncomment turns the lines "# attr = value" into settings.
func uncomment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		bare := strings.TrimLeft(line, " #")
		if fields := strings.Fields(bare); len(fields) > 1 && fields[1] == "=" {
			line = bare
		}
		b.WriteString(line)
	}
	return b.String()
}
