package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// burstPulls is how many pull requests are opened at once.
const burstPulls = 200

// benchBurst opens many pull requests on one repository at once and waits
// until the comment of each shows its plan. All change the same project, so
// the lock is set to be taken by applies: else they would rightly wait for
// each other.
func benchBurst(ctx context.Context, b *bench) error {
	s, err := newStage(ctx, b.tools, "TIDELOCK_DEFAULTS_LOCK=apply")
	if err != nil {
		return err
	}
	defer s.close()
	repo := s.gh.CreateRepo("bench", "busy", githubtest.RepoOptions{Files: burstFiles("v0")})
	fmt.Printf("  %d branches …\n", burstPulls)
	for i := range burstPulls {
		repo.Commit("ada", burstBranch(i), "Change "+burstBranch(i), burstFiles(burstBranch(i)))
	}
	if err := s.gh.Quiet(ctx); err != nil {
		return err
	}
	if _, _, err := s.workedOff(ctx, nil); err != nil { // the pushes
		return err
	}
	before, memory := effortOf(s.pid()), watchMemory(ctx, s.pid())
	took, err := s.burst(ctx, repo)
	memory.end()
	used := effortOf(s.pid()).since(before)
	if err != nil {
		return s.trouble(err)
	}
	for _, add := range []func() error{
		func() error { return b.reach("burst: planned", burstPulls, "pull requests", burstPulls) },
		func() error { return b.aim("burst: time", took.Seconds(), "s", 40) },
		func() error { return b.aim("burst: peak RSS of all processes", float64(memory.all)/mega, "MB", 1500) },
		func() error { return b.note("burst: peak RSS of the server", float64(memory.root)/mega, "MB") },
		func() error { return b.note("burst: processor time of a plan, server", used.own/burstPulls*1000, "ms") },
		func() error {
			return b.note("burst: processor time of a plan, runner and Terraform", used.children/burstPulls*1000, "ms")
		},
		func() error { return b.note("burst: processes at once", float64(memory.processes), "processes") },
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

func burstBranch(i int) string { return fmt.Sprintf("change-%03d", i) }

// burstResources is how many resources the project has.
const burstResources = 5

func burstFiles(input string) githubtest.Files {
	return githubtest.Files{"app/main.tf": fmt.Sprintf("resource \"terraform_data\" \"app\" {\n  count = %d\n  input = %q\n}\n", burstResources, input)}
}

// burst returns the time from the first webhook to the last finished comment.
func (s *stage) burst(ctx context.Context, repo *githubtest.Repo) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	seen := len(s.gh.Deliveries())
	pulls := make([]*githubtest.Pull, burstPulls)
	var all sync.WaitGroup
	for i := range pulls {
		all.Go(func() {
			pulls[i] = repo.Open("ada", githubtest.PullRequest{Title: "Change " + burstBranch(i), Head: burstBranch(i)})
		})
	}
	all.Wait()
	start, err := s.opened(repo, seen)
	if err != nil {
		return 0, err
	}
	done, told := 0, start
	finished := make([]bool, burstPulls)
	var wrong error
	err = s.gh.Wait(ctx, func() bool {
		for i, p := range pulls {
			if finished[i] || wrong != nil {
				continue
			}
			if finished[i], wrong = planned(p, burstResources); finished[i] {
				done++
			}
		}
		if now := time.Now(); now.Sub(told) > 5*time.Second {
			told = now
			fmt.Printf("  %d of %d planned after %.0f s\n", done, burstPulls, now.Sub(start).Seconds())
		}
		return wrong != nil || done == burstPulls
	})
	if err == nil {
		err = wrong
	}
	if err != nil {
		return 0, fmt.Errorf("%d of %d were planned: %w", done, burstPulls, err)
	}
	return time.Since(start), nil
}
