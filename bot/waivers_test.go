package bot

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// acceptedPlan is a plan of the bench's change that policies forbid, and that
// grace accepts for an hour.
func (b *bench) acceptedPlan() run.Run {
	b.t.Helper()
	r := b.begun("net")[0]
	f := policy.Finding{Rule: "open", Level: policy.Mandatory, Fingerprint: "f", Message: "It is open."}
	b.tx(func(ctx context.Context, tx *db.Tx) error {
		r.PlanDigest, r.Summary, r.Report = "d", tfplan.Summary{Create: 1}, &policy.Report{Verdict: policy.Fail, Mandatory: 1, Findings: []policy.Finding{f}}
		if err := b.Runs.Finish(ctx, tx, r, run.Planned); err != nil {
			return err
		}
		var err error
		if r, err = b.Runs.Run(ctx, tx, r.ID); err != nil {
			return err
		}
		return b.waiveFindings(ctx, tx, WaiveFindings{Change: b.change, Words: []run.Word{{Plan: r, Findings: []policy.Finding{f}, Expires: time.Now().Add(time.Hour), Reason: "x"}}},
			access.Actor{Kind: access.User, Name: "grace", ID: 2})
	})
	return b.read(r)
}

func (b *bench) read(r run.Run) run.Run {
	b.t.Helper()
	got, err := b.Runs.Run(b.t.Context(), b.DB, r.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func (b *bench) rev() int64 {
	b.t.Helper()
	c, err := b.Runs.Change(b.t.Context(), b.DB, b.change.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return c.Rev
}

func (b *bench) exec(sql string) {
	b.t.Helper()
	b.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, sql)
		return err
	})
}

// What was accepted is looked at in the very transaction that lets Terraform
// begin: a word that ends while the apply waits for memory, or plans again,
// holds it.
func TestThreat_WordThatEndsBeforeTheStartHoldsTheApply(t *testing.T) {
	for name, end := range map[string]func(b *bench){
		"expired": func(b *bench) { b.exec("UPDATE policy_waivers SET expires_ms=given_ms+1") },
		"revoked": func(b *bench) {
			b.tx(func(ctx context.Context, tx *db.Tx) error {
				words, err := b.Runs.Waivers(ctx, tx, run.WaiverFilter{})
				if err != nil {
					return err
				}
				return b.revokeWaivers(ctx, tx, RevokeWaivers{Waivers: words}, access.Actor{Kind: access.User, Name: "alan", ID: 3})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, capacity.Limits{})
			plan := b.acceptedPlan()
			if plan.Forbidden() {
				t.Fatal("it is not accepted")
			}
			a := &application{Bot: b.Bot, plan: plan, change: b.change}
			b.tx(func(ctx context.Context, tx *db.Tx) (err error) {
				if a.run, _, err = b.Runs.AddApply(ctx, tx, plan, "h1", "", b.actor); err != nil {
					return err
				}
				if a.lock, _, err = b.Runs.Acquire(ctx, tx, a.run); err != nil {
					return err
				}
				a.run, err = b.Runs.Begin(ctx, tx, a.run, b.Node)
				return err
			})
			if why := verdictTrouble(a.plan); why != "" {
				t.Fatalf("it may not begin at all: %s", why)
			}
			end(b)
			if err := a.start(t.Context()); err != nil { // there is no runner: it would panic if it went on
				t.Fatal(err)
			}
			if got := b.read(a.run); got.Status != run.Held || !strings.Contains(got.Error, "A policy forbids the plan of `net`") {
				t.Errorf("the apply is %s: %s", got.Status, got.Error)
			}
		})
	}
}

// The sweep ends what has expired, and has the comments say so once.
func TestSweepWaivers(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	plan := b.acceptedPlan()
	told := b.rev()
	sweep := func() {
		t.Helper()
		if err := b.SweepWaivers(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sweep() // the word ends within the hour: that is told
	if got := b.rev(); got != told+1 {
		t.Errorf("before the end it was told %d times", got-told)
	}
	sweep()
	if got := b.rev(); got != told+1 {
		t.Errorf("it was told %d times on one day", got-told)
	}
	b.exec("UPDATE policy_waivers SET expires_ms=given_ms+1")
	sweep()
	sweep()
	if got := b.rev(); got != told+2 {
		t.Errorf("the end was told %d times", got-told-1)
	}
	if got := b.read(plan); !got.Forbidden() || len(got.Standing().Findings[0].Lapsed) != 1 {
		t.Errorf("%+v", got.Standing())
	}
	var events int
	if err := b.DB.QueryRowContext(t.Context(), `SELECT count(*) FROM events WHERE action='policy.expire'`).Scan(&events); err != nil || events != 1 {
		t.Errorf("%d events, %v", events, err)
	}
}

// More than one batch of words that end at once is swept in one go.
func TestSweepWaiversInBatches(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	plan := b.acceptedPlan()
	b.tx(func(ctx context.Context, tx *db.Tx) error {
		word := run.Word{Plan: plan, Expires: time.Now().Add(time.Hour), Reason: "x", Actor: access.Actor{Kind: access.User, Name: "grace", ID: 2}}
		for i := range 2*waiverBatch + 5 {
			word.Findings = append(word.Findings, policy.Finding{Rule: "r", Level: policy.Mandatory, Fingerprint: "f" + string(rune('\u4e00'+i))})
		}
		_, err := b.Runs.Waive(ctx, tx, word)
		return err
	})
	b.exec("UPDATE policy_waivers SET expires_ms=given_ms+1")
	if err := b.SweepWaivers(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := b.DB.QueryRowContext(t.Context(), `SELECT count(*) FROM policy_waivers WHERE ended<>'expired'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d are left, %v", left, err)
	}
}

func TestMemberships(t *testing.T) {
	for _, tt := range []struct {
		who  []string
		role github.Role
		want bool
	}{
		{nil, github.RoleMaintain, true},
		{nil, github.RoleAdmin, true},
		{nil, github.RoleWrite, false},
		{[]string{"Grace"}, github.RoleRead, true},
		{[]string{"alan"}, github.RoleAdmin, false},
		{[]string{"acme/in"}, github.RoleRead, true},
		{[]string{"ACME/Out", "acme/out"}, github.RoleAdmin, false},
	} {
		m := memberships{login: "grace", role: tt.role, known: map[string]bool{"acme/in": true, "acme/out": false}} // asked already
		if got, err := m.among(t.Context(), tt.who); err != nil || got != tt.want {
			t.Errorf("%v with %s: %v, %v", tt.who, tt.role, got, err)
		}
	}
}
