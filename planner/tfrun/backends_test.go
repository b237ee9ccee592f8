package tfrun

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"gocloud.dev/gcerrors"

	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/toolchain/servers/serverstest"
	"github.com/tidelock/tidelock/planner"
)

const twoThings = "\nvariable \"v\" {\n  default = \"one\"\n}\nresource \"terraform_data\" \"a\" {\n  input = var.v\n}\nresource \"terraform_data\" \"b\" {\n}\n"

// elsewhere is a backend of the code's own on a real server.
type elsewhere struct {
	block   string
	env     map[string]string // its credentials, as a run gets them
	wrong   map[string]string // credentials that are refused
	refused string            // what is said of those
	secret  string            // what nothing may show
	// read returns the state as it lies there, nil for none.
	read func(t *testing.T) []byte
	// hold takes the state's lock as somebody else and returns how that is left.
	hold func(t *testing.T) (leave func())
}

// throughOwnBackend plans, applies, changes, imports and looks for drift in a
// project that keeps its state where it always did.
func throughOwnBackend(t *testing.T, b Binary, at elsewhere) {
	s := newSite(t, b, map[string]string{"main.tf": at.block + twoThings})
	spec := func(kind Kind, o planner.Operation) Spec {
		spec := s.spec(".")
		spec.Kind, spec.Operation, spec.Env, spec.ManagedBackend, spec.LockTimeout = kind, o, at.env, "", "1ms"
		return spec
	}
	stored := func() (st struct {
		Serial    int64
		Lineage   string
		Resources []json.RawMessage
	}) {
		t.Helper()
		if err := json.Unmarshal(at.read(t), &st); err != nil {
			t.Fatal(err)
		}
		return st
	}
	quiet := func(r Result, log string) {
		t.Helper()
		if strings.Contains(log+r.Error, at.secret) {
			t.Errorf("the run shows the credential: %s\n%s", r.Error, log)
		}
	}

	plan := spec(KindPlan, planner.Operation{})
	r, log := s.execute(plan)
	if r.Outcome != OutcomePlanned || at.read(t) != nil {
		t.Fatalf("%+v, and a state is there: %v\n%s", r, at.read(t) != nil, log)
	}
	quiet(r, log)
	r, log = s.execute(applyOf(plan))
	quiet(r, log)
	if st := stored(); r.Outcome != OutcomeApplied || st.Serial == 0 || len(st.Resources) != 2 {
		t.Fatalf("%+v, stored: serial %d, lineage %s, %d resources\n%s", r, st.Serial, st.Lineage, len(st.Resources), log)
	} else if r.StateSerial != st.Serial || r.StateLineage != st.Lineage { // for a restore of the server
		t.Errorf("the apply tells serial %d of %q, and %d of %s lies there", r.StateSerial, r.StateLineage, st.Serial, st.Lineage)
	}
	s.must(spec(KindPlan, planner.Operation{}), OutcomeNoChange)
	before := stored()

	// A second change, planned from what lies there.
	changed := spec(KindPlan, planner.Operation{})
	changed.Options.Vars = []string{"v=two"}
	if r := s.must(changed, OutcomePlanned); r.StateSerial != before.Serial || r.StateLineage != before.Lineage {
		t.Errorf("planned from serial %d of %s, and %d of %s lies there", r.StateSerial, r.StateLineage, before.Serial, before.Lineage)
	}
	// Somebody else holds the lock: nothing starts, and who it is is told.
	leave := at.hold(t)
	for _, held := range []Spec{applyOf(changed), spec(KindState, planner.Operation{Kind: planner.StateRemove, Args: []string{"terraform_data.b"}})} {
		if r := s.must(held, OutcomeFailed); !r.Locked || r.Started {
			t.Errorf("%s beside a lock: %+v", held.Kind, r)
		}
	}
	if st := stored(); st.Serial != before.Serial {
		t.Errorf("it was written beside a lock: serial %d, then %d", before.Serial, st.Serial)
	}
	leave()
	s.must(applyOf(changed), OutcomeApplied)
	if st := stored(); st.Lineage != before.Lineage || st.Serial <= before.Serial {
		t.Errorf("serial %d of %s after %d of %s", st.Serial, st.Lineage, before.Serial, before.Lineage)
	}
	if r := s.must(spec(KindState, planner.Operation{Kind: planner.StateRemove, Args: []string{"terraform_data.b"}}), OutcomeApplied); r.StateSerial != stored().Serial || len(stored().Resources) != 1 {
		t.Errorf("%+v", r)
	}

	// Credentials that are refused end the run before anything starts.
	refused := spec(KindPlan, planner.Operation{})
	refused.Env = at.wrong
	last := stored().Serial
	r, log = s.execute(refused)
	if r.Outcome != OutcomeFailed || r.Started || !strings.Contains(r.Error, at.refused) || stored().Serial != last {
		t.Errorf("%+v\n%s", r, log)
	}
	quiet(r, log)
	if left, err := filepath.Glob(filepath.Join(s.root, "*tfstate*")); err != nil || len(left) > 0 {
		t.Errorf("left in the work tree: %v, %v", left, err)
	}
}

// A project whose code has a backend "s3" with a lock file is planned and
// applied there, untouched.
func TestOwnBackendS3(t *testing.T) {
	server := serverstest.StartS3(t)
	bucket := server.Open(t)
	each(t, func(t *testing.T, b Binary) {
		key := filepath.Base(b.Path) + "/prod.tfstate"
		lock := key + ".tflock"
		env := func(secret string) map[string]string {
			return map[string]string{"AWS_ACCESS_KEY_ID": serverstest.S3Access, "AWS_SECRET_ACCESS_KEY": secret}
		}
		throughOwnBackend(t, b, elsewhere{
			block: fmt.Sprintf(`terraform {
  backend "s3" {
    bucket                      = %q
    key                         = %q
    region                      = "us-east-1"
    use_lockfile                = true
    endpoints                   = { s3 = %q }
    use_path_style              = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
  }
}
`, server.Bucket, key, server.Endpoint),
			env: env(serverstest.S3Secret), wrong: env("wrong-secret"), refused: "SignatureDoesNotMatch", secret: serverstest.S3Secret,
			read: func(t *testing.T) []byte {
				t.Helper()
				text, err := bucket.ReadAll(t.Context(), key)
				if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
					t.Fatal(err)
				}
				return text
			},
			hold: func(t *testing.T) func() {
				t.Helper()
				if left, err := bucket.Exists(t.Context(), lock); left || err != nil {
					t.Fatalf("a lock was left behind: %v, %v", left, err)
				}
				if err := bucket.WriteAll(t.Context(), lock, []byte(`{"ID":"0815","Operation":"OperationTypeApply","Who":"ann@laptop","Created":"2026-01-01T00:00:00Z"}`), nil); err != nil {
					t.Fatal(err)
				}
				return func() {
					if err := bucket.Delete(t.Context(), lock); err != nil {
						t.Fatal(err)
					}
				}
			},
		})
	})
}

// The same in PostgreSQL, by the backend "pg".
func TestOwnBackendPostgres(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		dsn := dbtest.EmptyPostgresDSN(t)
		d := dbtest.Open(t, dsn)
		throughOwnBackend(t, b, elsewhere{
			block: "terraform {\n  backend \"pg\" {\n  }\n}\n",
			env:   map[string]string{"PG_CONN_STR": dsn}, secret: dsn,
			wrong: map[string]string{"PG_CONN_STR": strings.Replace(dsn, "tidelock", "nobody", 1)}, refused: "nobody",
			read: func(t *testing.T) []byte {
				t.Helper()
				var there bool
				if err := d.QueryRowContext(t.Context(), `SELECT to_regclass('terraform_remote_state.states') IS NOT NULL`).Scan(&there); err != nil {
					t.Fatal(err)
				}
				if !there {
					return nil
				}
				var text []byte
				if err := d.QueryRowContext(t.Context(), `SELECT coalesce(max(data), '') FROM terraform_remote_state.states WHERE name = 'default'`).Scan(&text); err != nil {
					t.Fatal(err)
				}
				if len(text) == 0 {
					return nil
				}
				return text
			},
			hold: func(t *testing.T) func() {
				t.Helper()
				c, err := pgx.Connect(t.Context(), dsn) // the lock is of this connection
				if err != nil {
					t.Fatal(err)
				}
				var held bool
				if err := c.QueryRow(t.Context(), `SELECT pg_try_advisory_lock(id) FROM terraform_remote_state.states WHERE name = 'default'`).Scan(&held); err != nil || !held {
					t.Fatal(held, err)
				}
				return func() {
					if err := c.Close(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			},
		})
	})
}
