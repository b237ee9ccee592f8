package tfrun

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// equip makes the client of the binary, with the environment as it is now. It
// is called again when a hook has changed that.
func (e *execution) equip() error {
	env := maps.Clone(e.env)
	var inputs []string
	for name, value := range e.env {
		if strings.HasPrefix(name, "TF_VAR_") {
			delete(env, name)
			env[carried+name] = value
			inputs = append(inputs, name)
		}
	}
	slices.Sort(inputs)
	var err error
	if e.wrapper, err = wrapper(e.spec, inputs); err != nil {
		return err
	}
	if e.tf, err = tfexec.NewTerraform(e.dir, e.wrapper); err != nil {
		return fmt.Errorf("prepare terraform: %w", err)
	}
	if err := e.tf.SetWaitDelay(e.spec.Grace); err != nil {
		return fmt.Errorf("prepare terraform: %w", err)
	}
	// Terraform and its providers talk through a socket in the run's own
	// TMPDIR, which only this user can enter, and whoever is this user could
	// read their memory: TLS on it protects nothing, and the keys and
	// certificates made for each start take a quarter of a small plan's time.
	if err := e.tf.SetDisablePluginTLS(true); err != nil {
		return fmt.Errorf("prepare terraform: %w", err)
	}
	if err := e.tf.SetEnv(env); err != nil {
		return fmt.Errorf("prepare terraform: %w", err)
	}
	e.given = env
	return nil
}

// carried begins the name under which an input variable gets past
// terraform-exec, which takes those as arguments only. In an argument every
// process of the machine could read a secret, and an apply of a saved plan has
// none.
const carried = "TIDELOCK_"

// wrapper returns what terraform-exec is to run in place of the binary. Before
// its first command, terraform-exec always asks for the version, which costs
// a whole start of Terraform, a fifth of a small plan. Where the server knows
// the version already, a few lines of shell answer that and hand everything
// else on; where there is no shell, the binary itself does. The same lines set
// the limits, and the input variables in the environment, by their names: no
// value is on the disk.
func wrapper(spec Spec, inputs []string) (string, error) {
	known := plainVersion(spec.BinaryVersion)
	needed := spec.Limits != (Limits{}) || len(inputs) > 0 || spec.Terragrunt != nil
	if !known && !needed {
		return spec.Binary, nil
	}
	if _, err := os.Stat(shell); err != nil {
		if needed {
			return "", fmt.Errorf("the limits and the input variables of a run are set by %s, which is not there: %w", shell, err)
		}
		return spec.Binary, nil
	}
	// Beside HOME, not in it: what runs may write there.
	path := spec.Home + ".terraform"
	script := "#!" + shell + "\n"
	if known {
		script += "[ \"$1\" = version ] && exec echo " + shellQuote(`{"terraform_version":"`+spec.BinaryVersion+`","provider_selections":{}}`) + "\n"
	}
	start, direct := shellQuote(spec.Binary), ""
	if spec.Terragrunt != nil {
		if !known {
			script += "[ \"$1\" = version ] && exec " + start + " \"$@\"\n"
		}
		// What run_cmd prints stands before the output. Of a plan that is shown,
		// only the output counts, and showing needs nothing of Terragrunt's.
		direct = "[ \"$1\" = show ] && cd \"$(cat " + shellQuote(unitNote(spec)) + ")\" && exec " + start + " \"$@\"\n"
		start = spec.Terragrunt.command()
	}
	if spec.Limits != (Limits{}) {
		script += spec.Limits.script()
	}
	for _, name := range inputs {
		script += fmt.Sprintf("export %s=\"$%s%s\"; unset %s%s\n", name, carried, name, carried, name)
	}
	script += direct + "exec " + start + " \"$@\"\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		return "", fmt.Errorf("write the wrapper: %w", err)
	}
	return path, nil
}

// hideGiven has the values of the spec's own secrets masked.
func (e *execution) hideGiven() {
	var values []string
	for _, name := range e.spec.Secrets {
		values = append(values, e.spec.Env[name])
	}
	if len(values) > 0 {
		e.hide(values...)
	}
}

// generated looks at what the hooks have made: the project's directory, where
// the repository itself does not hold it, and the backend.
func (e *execution) generated() error {
	s := &e.spec
	if s.SourceDir == "" && !slices.ContainsFunc(s.Hooks, func(h planner.Hook) bool { return h.Writes() }) {
		return nil
	}
	root, err := os.OpenRoot(s.Root)
	if err != nil {
		return fmt.Errorf("open the work tree: %w", err)
	}
	defer root.Close()
	if s.SourceDir != "" {
		if len(s.Hooks) == 0 {
			return errs.New(errs.Invalid, "The project's code is made by hooks, and this server runs none: its terraform.allow_hooks is off.")
		}
		if info, err := root.Stat(filepath.FromSlash(s.Dir)); err != nil || !info.IsDir() {
			return errs.New(errs.Invalid, "The project's directory %s is not there when the hooks before init are done. They have to make it: the log has what they say.", s.Dir)
		}
		e.dir = filepath.Join(s.Root, filepath.FromSlash(s.Dir))
		if err := e.equip(); err != nil {
			return err
		}
	}
	if s.ManagedBackend == "" || s.OwnBlock { // staysOurs refuses what would take its place
		return nil
	}
	b, err := planner.BackendIn(root.FS(), s.Dir)
	if err != nil {
		return fmt.Errorf("read the code that the hooks made: %w", err)
	}
	// A state within the tree would be gone with it: that is as good as none.
	inTree := b.Type == "local" && (!filepath.IsAbs(b.Path) || within(s.Root, b.Path))
	if b.Type == "" || inTree {
		return nil
	}
	// A state that is here already must not be left behind: what the hooks make
	// is made of what a pull request gives them.
	if info, err := os.Stat(ManagedState(filepath.Join(s.stateDir(), filepath.Base(s.ManagedBackend)), s.Workspace)); err == nil && info.Size() > 0 {
		return e.moved(settled{Type: b.Type, Path: b.Path}.told())
	}
	s.ManagedBackend, e.result.Backend = "", b.Type
	return nil
}

// ownSource keeps the directory in which hooks make code to this run, until
// release: another one of the same tree would make it anew under Terraform's
// eyes. Like a data directory, it is held by an open file.
func (e *execution) ownSource(ctx context.Context) (release func(), err error) {
	if e.spec.SourceDir == "" {
		return func() {}, nil
	}
	sum := sha256.Sum256([]byte(e.spec.SourceDir))
	f, err := os.OpenFile(filepath.Join(filepath.Dir(e.spec.DataDir), "source-"+hex.EncodeToString(sum[:8])+".use"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the source's directory: %w", err)
	}
	for {
		ok, err := flock(f, syscall.LOCK_EX)
		if ok {
			return func() { f.Close() }, nil
		}
		if err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(10 * time.Millisecond):
				continue
			}
		}
		f.Close()
		return nil, err
	}
}

// within reports whether a path lies in a directory; both are absolute.
func within(dir, p string) bool {
	rel, err := filepath.Rel(dir, p)
	return err == nil && filepath.IsLocal(rel)
}
