package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// newConfigCommand returns `tidelock config` with its subcommands.
func newConfigCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check and show the server's configuration",
		Example: "  tidelock config check\n  tidelock config show",
		Args:    noArgs,
		RunE:    helpWithoutCommand,
	}
	cmd.AddCommand(newConfigCheckCommand(p), newConfigShowCommand(p))
	return cmd
}

func newConfigCheckCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Report everything that is wrong with the configuration",
		Long: "Reads the configuration as the server would, secrets included, and reports all its problems at once.\n" +
			"Nothing is started and nothing is asked over the network; `tidelock doctor` does that.",
		Example: "  tidelock config check\n  tidelock config check --config /etc/tidelock/tidelock-server.hcl --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l := loadConfig(p.configPath, p.environ, needAll)
			err := l.problems.Err()
			var lines []string
			if err == nil {
				var wrong error
				if lines, wrong = l.config.localPacks(cmd.Context()); wrong != nil {
					l.problem("policy", "", "%s", errs.Sentence(wrong))
					err = l.problems.Err()
				}
			}
			if asJSON {
				problems := l.problems
				if problems == nil {
					problems = Problems{}
				}
				if werr := writeJSON(p.stdout, map[string]any{"file": l.file, "ok": err == nil, "problems": problems}); werr != nil {
					return werr
				}
				return told(err)
			}
			for _, w := range l.problems.Warnings() {
				fmt.Fprintf(p.stderr, "warning: %s\n", w)
			}
			if err != nil {
				return err
			}
			from := l.file
			if from == "" {
				from = "the environment, without a file"
			}
			fmt.Fprintf(p.stdout, "The configuration is in order (from %s).\n", from)
			for _, line := range lines {
				fmt.Fprintln(p.stdout, line)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the problems as JSON")
	return cmd
}

func newConfigShowCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [SETTING]",
		Short: "Show the settings in force and where each comes from",
		Long: "Shows every setting as it holds, defaults included, and says which come from the file and which from the\n" +
			"environment. Secrets are never shown. With a SETTING such as github.app_id only its value is printed.",
		Example:           "  tidelock config show\n  tidelock config show data_dir\n  tidelock config show --json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeSettings,
		RunE: func(cmd *cobra.Command, args []string) error {
			l := loadConfig(p.configPath, p.environ, needAll)
			if err := l.problems.Err(); err != nil {
				return err
			}
			if len(args) == 1 {
				s, ok := settingAt(args[0])
				if !ok {
					return errs.New(errs.Invalid, "There is no setting %q; `tidelock config show` lists them all.", args[0])
				}
				_, err := fmt.Fprintln(p.stdout, l.plain(s))
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, l.asJSON())
			}
			return l.write(p.stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print values and sources as JSON")
	return cmd
}

func completeSettings(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []string
	for _, s := range settings {
		if strings.HasPrefix(s.path, prefix) {
			found = append(found, s.path)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// write prints the configuration in force as a file could hold it, each value
// that somebody set with its source.
func (l *loader) write(w io.Writer) error {
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
			if _, secret := s.bind(&l.config).(*redact.Secret); secret && !s.inline {
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
func (l *loader) shown(s setting) string {
	if s.path == "database" {
		return strconv.Quote(l.config.DatabaseShown())
	}
	return showValue(s.bind(&l.config))
}

// plain is the setting's value as a script would take it.
func (l *loader) plain(s setting) string {
	if text, err := strconv.Unquote(l.shown(s)); err == nil {
		return text
	}
	return l.shown(s)
}

// shownSetting is one setting in JSON.
type shownSetting struct {
	Value  any    `json:"value"`
	Source string `json:"source"`        // "default", a place in the file or a variable
	Env    string `json:"env,omitempty"` // "" where only the file can hold it
}

func (l *loader) asJSON() map[string]shownSetting {
	all := map[string]shownSetting{}
	for _, s := range settings {
		shown := shownSetting{Source: "default", Env: envName(s.path)}
		if o := l.source(s); o.rank != rankDefault {
			shown.Source = o.where
		}
		switch v := s.bind(&l.config).(type) {
		case *redact.Secret:
			shown.Value = l.plain(s)
		case *time.Duration:
			shown.Value = showDuration(*v)
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
		return strconv.Quote(showDuration(*v))
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

// showDuration writes "1h" where Duration.String has "1h0m0s".
func showDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
