package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// largePlan is how many objects the large project has.
const largePlan = 10_000

// largeRatio is how much longer than Terraform by hand a large plan may take
// until its comment stands: it is read, judged, priced and shown besides.
const largeRatio = 1.5

func largeFiles(input string) githubtest.Files {
	return githubtest.Files{projectDir(0) + "/main.tf": fmt.Sprintf("resource \"terraform_data\" \"a\" {\n  count = %d\n  input = \"%s ${count.index}\"\n}\n", largePlan, input)}
}

// benchLarge has a plan of 10,000 objects made, from the webhook to the
// comment, and by hand.
func benchLarge(ctx context.Context, b *bench) error {
	s, err := newStage(ctx, b.tools)
	if err != nil {
		return err
	}
	defer s.close()
	repo := s.gh.CreateRepo("bench", "large", githubtest.RepoOptions{Files: largeFiles("old"), Public: true})
	const branch = "grow"
	repo.Commit("ada", branch, "All of them", largeFiles("new"))
	if err := s.gh.Quiet(ctx); err != nil {
		return err
	}
	bare, err := b.tools.bare(ctx, repo, branch, 1, 1)
	if err != nil {
		return err
	}
	seen, memory := len(s.gh.Deliveries()), watchMemory(ctx, s.pid())
	defer memory.end()
	pull := repo.Open("ada", githubtest.PullRequest{Title: "All of them", Head: branch})
	limited, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var wrong error
	if err := s.gh.Wait(limited, func() (done bool) {
		done, wrong = planned(pull, largePlan)
		return done || wrong != nil
	}); err != nil || wrong != nil {
		return s.trouble(fmt.Errorf("no finished plan: %w", errors.Join(err, wrong)))
	}
	end := time.Now()
	start, err := s.opened(repo, seen)
	if err != nil {
		return err
	}
	memory.end()
	took := end.Sub(start).Seconds()
	for _, row := range []func() error{
		func() error { return b.note("plan of 10,000 objects: bare", bare.wall, "s") },
		func() error { return b.note("plan of 10,000 objects: tidelock", took, "s") },
		func() error {
			return b.aim("plan of 10,000 objects: tidelock over bare", took/bare.wall, "ratio", largeRatio)
		},
		func() error {
			return b.aim("plan of 10,000 objects: the server's memory", float64(memory.root)/mega, "MB", 400)
		},
		func() error {
			return b.note("plan of 10,000 objects: memory of all processes", float64(memory.all)/mega, "MB")
		},
		func() error {
			return b.note("plan of 10,000 objects: the comment", float64(len(comment(pull)))/1000, "KB")
		},
	} {
		if err := row(); err != nil {
			return err
		}
	}
	return nil
}
