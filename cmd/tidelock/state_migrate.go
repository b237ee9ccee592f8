package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// moving moves one state in or out.
type moving struct {
	*vault
	p        *program
	client   clients.Client
	name     string
	dir      string // the project's, initialised; "" where a file stands for it
	file     string
	tool     string
	of       projectFlags
	lockedAs string
}

func newStateMigrateCommand(p *program) *cobra.Command {
	m := moving{p: p}
	var from, to string
	cmd := &cobra.Command{
		Use:   "migrate CLIENT/PROJECT",
		Short: "Move a project's state into Tidelock, or out again",
		Long: "Moves a state in with --from, or out with --to. Either is \"backend\", the backend of the code in --dir, or the path of\n" +
			"a file. For a backend, Terraform's own `state pull` and `state push` are run in --dir with your environment: run\n" +
			"`terraform init` there first. Serial, lineage and the number of resources are compared afterwards, and nothing is\n" +
			"taken away before they agree. It is refused while somebody holds the lock, and keeps the lock meanwhile.\n\n" +
			"With --repo and --project the state becomes that of a project that declares no backend. What is moved out is gone\n" +
			"here but for its versions, and a project without a backend is not run until its code declares one.",
		Example: "  tidelock state migrate acme/infra/network --from backend --dir ~/infra/network --repo acme/infra --project network\n" +
			"  tidelock state migrate acme/infra/network --from terraform.tfstate --repo acme/infra --project network\n" +
			"  tidelock state migrate acme/infra/network --to backend --dir ~/infra/network",
		Args: oneState,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			// "tidelock" and "local" are what people try first.
			if to == "tidelock" {
				to = ""
			}
			if from == "tidelock" {
				from = ""
			}
			if (from == "") == (to == "") {
				return errs.New(errs.Invalid, "Say where the state comes from with --from, or where it goes with --to: \"backend\" with --dir, or a file.")
			}
			if place := from + to; place == "local" || place == "backend" {
				if m.dir == "" {
					return errs.New(errs.Invalid, "Name the project's directory, in which `terraform init` was run, with --dir.")
				}
			} else {
				m.file, m.dir = strings.TrimPrefix(place, "file:"), ""
			}
			if m.vault, err = p.openStates(ctx, true); err != nil {
				return err
			}
			defer m.close()
			if m.client, m.name, err = m.find(ctx, args[0]); err != nil {
				return err
			}
			if from != "" {
				return m.in(ctx)
			}
			return m.out(ctx)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "where the state is now: backend, or a file")
	cmd.Flags().StringVar(&to, "to", "", "where the state goes: backend, or a file")
	cmd.Flags().StringVar(&m.dir, "dir", "", "the project's directory on this machine")
	cmd.Flags().StringVar(&m.tool, "tool", "", "terraform or tofu (else the first of them that is in PATH)")
	m.of.add(cmd)
	return cmd
}

// run runs the tool in the project's directory and returns what it prints.
func (m *moving) run(ctx context.Context, args ...string) ([]byte, error) {
	tool := m.tool
	if tool == "" {
		tool = "terraform"
		if _, err := exec.LookPath(tool); err != nil {
			tool = "tofu"
		}
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir, cmd.Env = m.dir, m.p.environ
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "`%s %s` failed in %s: %s", filepath.Base(tool), strings.Join(args, " "), m.dir, strings.TrimSpace(said.String()))
	}
	return out, nil
}

// pull reads the state where it is outside.
func (m *moving) pull(ctx context.Context) (b []byte, err error) {
	if m.dir != "" {
		b, err = m.run(ctx, "state", "pull")
	} else if b, err = os.ReadFile(m.file); err != nil {
		err = errs.Wrap(errs.NotFound, err, "The file %s can't be read.", m.file)
	}
	if err == nil && len(bytes.TrimSpace(b)) == 0 {
		err = errs.New(errs.NotFound, "There is no state in %s.", m.outside())
	}
	return b, err
}

func (m *moving) outside() string {
	if m.dir != "" {
		return "the backend of " + m.dir
	}
	return m.file
}

// lock keeps everybody else from the state here.
func (m *moving) lock(ctx context.Context) (unlock func() error, err error) {
	m.lockedAs = uuid.NewString()
	raw, err := json.Marshal(state.LockInfo{ID: m.lockedAs, Operation: "migrate", Who: m.who.Actor.String(), Path: m.name})
	if err != nil {
		return nil, err
	}
	if _, err := m.states.Lock(ctx, m.client.ID, m.name, m.who, raw); err != nil {
		return nil, err
	}
	return func() error {
		return m.states.Unlock(context.WithoutCancel(ctx), m.client.ID, m.name, m.who, m.lockedAs)
	}, nil
}

func (m *moving) in(ctx context.Context) (err error) {
	content, err := m.pull(ctx)
	if err != nil {
		return err
	}
	before, err := state.Weigh(bytes.NewReader(content))
	if err != nil {
		return err
	}
	var owner state.Owner
	if m.of.repo != "" || m.of.project != "" {
		if owner, err = m.of.owner(ctx, m.vault, m.client); err != nil {
			return err
		}
	}
	if err := m.states.ComeBack(ctx, m.client.ID, m.name, m.who); err != nil {
		return err
	}
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	v, err := m.states.Write(ctx, state.Write{
		Client: m.client.ID, Name: m.name, Who: m.who, LockID: m.lockedAs, Body: bytes.NewReader(content), Reason: "moved in from " + m.outside(),
	})
	if err != nil {
		return err
	}
	_, kept, err := m.states.ReadVersion(ctx, m.client.ID, m.name, v.Seq)
	if err != nil {
		return err
	}
	after, err := state.Weigh(kept)
	if err := errors.Join(err, kept.Close()); err != nil {
		return err
	}
	again, err := m.pull(ctx)
	if err != nil {
		return err
	}
	now, err := state.Weigh(bytes.NewReader(again))
	if err != nil {
		return err
	}
	if before != after || !now.Same(after) {
		return errs.New(errs.Conflict, "%s has %s, and %s/%s has %s: somebody wrote meanwhile. See that nobody does, and migrate again.", m.outside(), now, m.client.Slug, m.name, after)
	}
	if owner.Client != "" {
		if err := m.states.Bind(ctx, owner, m.name, m.who); err != nil {
			return err
		}
	}
	if err := m.states.NoteMoved(ctx, m.client.ID, m.name, m.who, "state.moved_in", m.outside(), after); err != nil {
		return err
	}
	address := m.client.Slug + "/" + m.name
	_, err = fmt.Fprintf(m.p.stdout, "%s has version %d: %s. It was read back and is the same as in %s.\n\n", address, v.Seq, after, m.outside())
	if err != nil {
		return err
	}
	if owner.Client != "" {
		_, err = fmt.Fprintf(m.p.stdout, "Now remove the backend or cloud block from the code of %s in %s: Tidelock sets the backend of its runs itself.\n", owner.Project, m.of.repo)
		return err
	}
	_, err = fmt.Fprintf(m.p.stdout, "Now write this into the code in place of the backend or cloud block, with a token as TF_HTTP_PASSWORD (`tidelock token create`):\n\n%s", m.block(address))
	return err
}

// block is the backend that the code needs to reach the state.
func (m *moving) block(address string) string {
	base := strings.TrimSuffix(m.config.PublicURL, "/") + state.Prefix + address
	return fmt.Sprintf("terraform {\n  backend \"http\" {\n    address        = %q\n    lock_address   = %q\n    unlock_address = %q\n    lock_method    = \"LOCK\"\n    unlock_method  = \"UNLOCK\"\n  }\n}\n", base, base, base)
}

func (m *moving) out(ctx context.Context) (err error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	_, content, err := m.states.Read(ctx, m.client.ID, m.name)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		return err
	}
	before, err := state.Weigh(bytes.NewReader(body))
	if err != nil {
		return err
	}
	if err := m.push(ctx, body); err != nil {
		return err
	}
	there, err := m.pull(ctx)
	if err != nil {
		return err
	}
	after, err := state.Weigh(bytes.NewReader(there))
	if err != nil {
		return err
	}
	if !after.Same(before) {
		return errs.New(errs.Conflict, "%s has %s, and not %s as here. Nothing was taken away here.", m.outside(), after, before)
	}
	if err := m.states.MoveAway(ctx, m.client.ID, m.name, m.who, m.lockedAs, m.outside()); err != nil {
		return err
	}
	if err := m.states.NoteMoved(ctx, m.client.ID, m.name, m.who, "state.moved_out", m.outside(), before); err != nil {
		return err
	}
	_, err = fmt.Fprintf(m.p.stdout, "%s has %s, as it was here. It is gone here, but for its versions.\n\nNow declare that backend in the code, if it does not yet: until then no run of the project begins.\n", m.outside(), after)
	return err
}

// push writes the state outside. What is there already is the tool's to
// compare, or is the same.
func (m *moving) push(ctx context.Context, body []byte) error {
	if m.dir == "" {
		return writeState(m.file, bytes.NewReader(body))
	}
	dir, err := os.MkdirTemp("", "tidelock-migrate-")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "moved.tfstate")
	if err := writeState(path, bytes.NewReader(body)); err != nil {
		return err
	}
	_, err = m.run(ctx, "state", "push", path)
	return err
}
