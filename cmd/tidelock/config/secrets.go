package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"

	"github.com/tidelock/tidelock/internal/secrets"
	"github.com/tidelock/tidelock/planner"
)

// secretBlock is the type of the blocks that name secrets.
const secretBlock = "secret"

const secretsDoc = "A secret that repositories may ask for by its name, in a block each: `secret \"NAME\"`. Its value never stands here: the block says where it is. " +
	"A project's `secrets`, `plan_secrets` and `apply_secrets` in a repository's `tidelock.hcl` name the variables that get it. " +
	"It reaches only runs of the repositories that the block allows, through memory and not through the disk, and is masked in everything that leaves them. " +
	"Plans run code of pull requests that nobody has reviewed: give what changes things to applies only. The blocks stand in the file only, and have no variables. [Workflows](workflows.md#secrets) has an example."

// secretAttributes are what a block may hold, for the reference.
var secretAttributes = []struct{ name, takes, doc string }{
	{"env", "name", "The variable of the server's environment that holds the value. One of `env`, `file` and `command` is required."},
	{"file", "path", "The file that holds it, read for each run; a newline at its end doesn't count."},
	{"command", "list of strings", "The program, with its arguments, that prints it, as `[\"vault\", \"kv\", \"get\", \"-field=password\", \"secret/db\"]`. It runs for each run, for 30 seconds at most, with the server's environment without `TIDELOCK_…`."},
	{"repos", "list of patterns", "The repositories that may have it, as `\"acme/infra\"` or `\"acme/*\"`. One of `repos` and `clients` is required; where both are, both must match."},
	{"clients", "list of patterns", "The clients (installations) whose repositories may have it."},
	{"phases", "list of strings", "`[\"plan\"]` or `[\"apply\"]`, where only those may have it. Otherwise both may."},
}

type hclSecret struct {
	Env     string         `hcl:"env,optional"`
	File    string         `hcl:"file,optional"`
	Command []string       `hcl:"command,optional"`
	Repos   []string       `hcl:"repos,optional"`
	Clients []string       `hcl:"clients,optional"`
	Phases  []string       `hcl:"phases,optional"`
	Attrs   hcl.Attributes `hcl:",remain"`
}

// readSecrets reads the secret blocks.
func (l *Reading) readSecrets(blocks hcl.Blocks) {
	for _, b := range blocks {
		if b.Type != secretBlock {
			continue
		}
		name, where := b.Labels[0], place(b.DefRange)
		say := func(format string, args ...any) {
			l.problem(secretBlock, where, "the secret %q "+format, append([]any{name}, args...)...)
		}
		var raw hclSecret
		if diags := gohcl.DecodeBody(b.Body, nil, &raw); diags.HasErrors() {
			l.diagnostics(secretBlock, diags)
			continue
		}
		for _, a := range raw.Attrs {
			if a.Name == "value" {
				say("has a value. It must not stand in the configuration file: name the variable, the file or the command that holds it. Replace the secret if others could read it here.")
				continue
			}
			l.problem(secretBlock, place(a.NameRange), "%s is not known in a block secret. There are env, file, command, repos, clients and phases.", a.Name)
		}
		if slices.ContainsFunc(l.Config.Secrets, func(s secrets.Source) bool { return s.Name == name }) {
			say("stands here twice.")
		}
		if problem := raw.problem(name); problem != "" {
			say("%s", problem)
		}
		if raw.File != "" {
			raw.File = absolute(filepath.Dir(l.File), raw.File)
		}
		l.Config.Secrets = append(l.Config.Secrets, secrets.Source{
			Name: name, Env: raw.Env, File: raw.File, Command: raw.Command, Repos: raw.Repos, Clients: raw.Clients, Phases: raw.Phases,
		})
		l.origins[secretBlock+"."+name] = origin{rank: rankFile, where: where}
	}
}

// problem reports what is wrong with a block, as the end of a sentence that
// begins with the secret.
func (s hclSecret) problem(name string) string {
	given := 0
	for _, set := range []bool{s.Env != "", s.File != "", len(s.Command) > 0} {
		if set {
			given++
		}
	}
	switch {
	case !planner.ValidSecretName(name):
		return "has a name that can't be asked for: letters, digits and . _ / - only."
	case given != 1:
		return "needs one of env, file and command, and no more than one."
	case s.Env != "" && !isEnvName(s.Env):
		return fmt.Sprintf("has the env %q, which is not the name of an environment variable.", s.Env)
	case strings.HasPrefix(s.Env, "TIDELOCK_"):
		return "is one of the bot's own settings, which are never handed to a run."
	case len(s.Command) > 0 && s.Command[0] == "":
		return "has a command that names no program."
	case len(s.Repos)+len(s.Clients) == 0:
		return "names neither repos nor clients that may have it, so nobody may."
	}
	for _, p := range append(append([]string{}, s.Repos...), s.Clients...) {
		if p == "" || !doublestar.ValidatePattern(p) {
			return fmt.Sprintf("has %q among those that may have it, which is not a pattern.", p)
		}
	}
	for _, p := range s.Repos {
		if !strings.Contains(p, "/") {
			return fmt.Sprintf("has %q in repos, which matches no repository: write OWNER/NAME, or OWNER/*.", p)
		}
	}
	for _, p := range s.Phases {
		if p != secrets.PhasePlan && p != secrets.PhaseApply {
			return fmt.Sprintf("has the phase %q; there are %q and %q.", p, secrets.PhasePlan, secrets.PhaseApply)
		}
	}
	return ""
}

// hcl returns the block as a file could hold it.
func secretHCL(s secrets.Source) string {
	var b strings.Builder
	fmt.Fprintf(&b, "secret %q {\n", s.Name)
	text := func(name, v string) {
		if v != "" {
			fmt.Fprintf(&b, "  %-7s = %q\n", name, v)
		}
	}
	list := func(name string, v []string) {
		if len(v) > 0 {
			quoted := make([]string, len(v))
			for i, item := range v {
				quoted[i] = fmt.Sprintf("%q", item)
			}
			fmt.Fprintf(&b, "  %-7s = [%s]\n", name, strings.Join(quoted, ", "))
		}
	}
	text("env", s.Env)
	text("file", s.File)
	list("command", s.Command)
	list("repos", s.Repos)
	list("clients", s.Clients)
	list("phases", s.Phases)
	b.WriteString("}\n")
	return b.String()
}

// writeSecrets prints the secrets' blocks: where values are, and no value.
func (l *Reading) writeSecrets(b *strings.Builder) {
	for _, s := range l.Config.Secrets {
		fmt.Fprintf(b, "\n# from %s\n%s", l.originOf(secretBlock+"."+s.Name).where, secretHCL(s))
	}
}

// secretsJSON adds them to what is shown as JSON.
func (l *Reading) secretsJSON(all map[string]Shown) {
	for _, s := range l.Config.Secrets {
		path := secretBlock + "." + s.Name
		all[path] = Shown{Value: map[string]any{
			"env": s.Env, "file": s.File, "command": s.Command, "repos": s.Repos, "clients": s.Clients, "phases": s.Phases,
		}, Source: l.originOf(path).where}
	}
}

// secretsReference is the section of docs/configuration.md.
func secretsReference() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## `secret`\n\n%s\n\n| attribute | takes | what it means |\n|---|---|---|\n", secretsDoc)
	for _, a := range secretAttributes {
		fmt.Fprintf(&b, "| **`%s`** | %s | %s |\n", a.name, a.takes, a.doc)
	}
	return b.String()
}
