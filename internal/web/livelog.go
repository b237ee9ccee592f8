package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// A log that still grows is shown as what will be stored of it is: with the
// server's secrets masked, and with everything masked that the plan marks as
// sensitive. That plan is at hand while it is applied. While it is made it is
// not, so the log of a plan is shown when it has ended and not before. A state
// operation has no plan at all.

// followable reports whether the run's log can be shown while it grows: this
// node works on it, and what is secret in it is known.
func (s *site) followable(r run.Run) bool {
	return s.LogPath != nil && s.Node != "" && r.Node == s.Node && r.Status == run.Running && r.LogBlob == "" &&
		(r.Kind == run.StateChange || r.Kind == run.Apply && r.PlanRun != "")
}

// maxLivePlan bounds the JSON of a plan that is read for its secrets, in
// bytes. The log of an apply of a longer one is shown when it has ended.
const maxLivePlan = 16 << 20

// liveLog returns the end of a log that still grows, whole lines; cut says
// whether there was more before it. It returns nothing where it can't be
// shown, and an error only for what should not happen.
func (s *site) liveLog(ctx context.Context, r run.Run) (text string, cut bool, err error) {
	if !s.followable(r) {
		return "", false, nil
	}
	secrets, err := s.secretsOf(ctx, r)
	if err != nil || secrets == nil {
		return "", false, err
	}
	b, cut, err := readEnd(s.LogPath(r.ID), maxShownLog)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // it is about to begin
		}
		return "", false, err
	}
	return shownText(secrets.Bytes(s.Masker.Bytes(b))), cut, nil
}

// readEnd returns the last whole lines of a file, limit bytes at most. Code of
// others runs beside the file, so that it must be one of its own.
func readEnd(path string, limit int64) (b []byte, cut bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	if !info.Mode().IsRegular() {
		return nil, false, fmt.Errorf("%s is no plain file", path)
	}
	if cut = info.Size() > limit; cut {
		if _, err := f.Seek(info.Size()-limit, io.SeekStart); err != nil {
			return nil, false, err
		}
	}
	if b, err = io.ReadAll(io.LimitReader(f, limit)); err != nil {
		return nil, false, err
	}
	// Half a line may hold half a secret, which nobody would recognise.
	if cut {
		b = b[bytes.IndexByte(b, '\n')+1:]
	}
	return b[:bytes.LastIndexByte(b, '\n')+1], cut, nil
}

// liveSecrets keeps the maskers of plans that are being applied, so that a
// page that looks again every other second does not read the plan each time.
type liveSecrets struct {
	mu     sync.Mutex
	byPlan map[string]*redact.Masker // by the plan's run
}

// maxLiveSecrets is how many plans' maskers are kept.
const maxLiveSecrets = 16

func (l *liveSecrets) get(plan string) *redact.Masker {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byPlan[plan]
}

func (l *liveSecrets) put(plan string, m *redact.Masker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byPlan == nil || len(l.byPlan) >= maxLiveSecrets {
		l.byPlan = map[string]*redact.Masker{}
	}
	l.byPlan[plan] = m
}

// secretsOf returns what masks the secrets of the plan that the run applies;
// nil where they can't be known.
func (s *site) secretsOf(ctx context.Context, r run.Run) (*redact.Masker, error) {
	if r.Kind == run.StateChange {
		return redact.NewMasker(), nil
	}
	if m := s.live.get(r.PlanRun); m != nil {
		return m, nil
	}
	plan, err := s.Runs.Run(ctx, s.DB, r.PlanRun)
	if err != nil || plan.PlanJSONBlob == "" {
		return nil, err
	}
	b, err := s.readBlob(ctx, plan.Client, plan.PlanJSONBlob, maxLivePlan)
	if errs.Is(err, errs.TooLarge) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("plan of run %s: %w", plan.ID, err)
	}
	parsed, err := tfplan.ParsePlan(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("plan of run %s: %w", plan.ID, err)
	}
	m := redact.NewMasker(parsed.SensitiveValues()...)
	s.live.put(plan.ID, m)
	return m, nil
}
