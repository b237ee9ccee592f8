package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// planSize is one line of the comparison.
type planSize struct {
	projects int
	rounds   int           // at most
	limit    time.Duration // after which no round begins that it would not hold
	target   float64       // of Tidelock's time over bare Terraform's
}

// maxCalls is how many calls to GitHub a plan may take, however many projects
// it is of.
const maxCalls = 6

// perProject is how many resources the project has.
const perProject = 20

func projectDir(i int) string { return fmt.Sprintf("live/p%02d", i) }

// files returns a repository of so many projects, with instances of that type.
func (t *tools) files(projects int, instance string) githubtest.Files {
	files := githubtest.Files{}
	for i := range projects {
		files[projectDir(i)+"/main.tf"] = strings.Replace(t.twenty, size, fmt.Sprintf("%q", instance), 1)
	}
	return files
}

// benchPlan compares Tidelock with Terraform by hand. Each round has a
// repository of its own, so that Tidelock fetches all of it as the clone does,
// and each way goes first in every other round.
func benchPlan(z planSize) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error {
		s, err := newStage(ctx, b.tools)
		if err != nil {
			return err
		}
		defer s.close()
		c := comparison{b: b, s: s, planSize: z}
		began := time.Now()
		for i := range z.rounds {
			if used := time.Since(began); i > 0 && used+used/time.Duration(i) > z.limit {
				fmt.Printf("  %d rounds of %d: more would take too long\n", i, z.rounds)
				break
			}
			if err := c.round(ctx, i); err != nil {
				return s.trouble(err)
			}
		}
		return c.tell()
	}
}

// comparison gathers the rounds of one size.
type comparison struct {
	planSize
	b *bench
	s *stage

	bare, pair, tidelock series
	calls                []float64
}

// series is what each round took.
type series struct{ wall, processor []float64 }

func (s *series) add(x spent) {
	s.wall, s.processor = append(s.wall, x.wall), append(s.processor, x.processor)
}

func (c *comparison) round(ctx context.Context, i int) error {
	repo := c.s.gh.CreateRepo("bench", fmt.Sprintf("infra-%d-%d", c.projects, i), githubtest.RepoOptions{Files: c.b.tools.files(c.projects, "t3.small"), Public: true})
	const branch = "grow"
	repo.Commit("ada", branch, "Larger instances", c.b.tools.files(c.projects, "t3.medium"))
	if err := c.s.gh.Quiet(ctx); err != nil {
		return err
	}
	ways := []func() error{
		func() error {
			x, err := c.b.tools.bare(ctx, repo, branch, c.projects, 1)
			c.bare.add(x)
			return err
		},
		func() error {
			x, calls, err := c.throughTidelock(ctx, repo, branch)
			c.tidelock.add(x)
			c.calls = append(c.calls, float64(calls))
			return err
		},
	}
	if i%2 == 1 {
		ways[0], ways[1] = ways[1], ways[0]
	}
	if c.projects > 1 {
		ways = append(ways, func() error {
			x, err := c.b.tools.bare(ctx, repo, branch, c.projects, 2)
			c.pair.add(x)
			return err
		})
	}
	for _, way := range ways {
		if err := way(); err != nil {
			return err
		}
	}
	last := func(s series) string { return fmt.Sprintf("%.2f s", s.wall[len(s.wall)-1]) }
	fmt.Printf("  round %d: bare %s, tidelock %s", i+1, last(c.bare), last(c.tidelock))
	if c.projects > 1 {
		fmt.Printf(", bare two at a time %s", last(c.pair))
	}
	fmt.Println()
	return nil
}

// throughTidelock opens the pull request and waits for the comment that shows
// the finished plan. The time runs from the webhook. calls is what GitHub was
// asked until the last check stood.
func (c *comparison) throughTidelock(ctx context.Context, repo *githubtest.Repo, branch string) (took spent, calls int, err error) {
	callsBefore, seen, before := len(c.s.gh.Calls()), len(c.s.gh.Deliveries()), effortOf(c.s.pid())
	pull := repo.Open("ada", githubtest.PullRequest{Title: "Larger instances", Head: branch})
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	var wrong error
	err = c.s.gh.Wait(ctx, func() bool {
		var done bool
		done, wrong = planned(pull, perProject*c.projects)
		return done || wrong != nil
	})
	end := time.Now()
	if err == nil {
		err = wrong
	}
	if err != nil {
		return took, 0, fmt.Errorf("no finished plan: %w", err)
	}
	start, err := c.s.opened(repo, seen)
	if err != nil {
		return took, 0, err
	}
	if err := c.s.gh.Wait(ctx, func() bool { return settled(pull) }); err != nil {
		return took, 0, fmt.Errorf("the checks never ended: %w", err)
	}
	if err := c.s.gh.Quiet(ctx); err != nil {
		return took, 0, err
	}
	took = spent{end.Sub(start).Seconds(), effortOf(c.s.pid()).since(before).sum()}
	return took, len(c.s.gh.Calls()) - callsBefore, nil
}

// tell adds the figures to the report.
func (c *comparison) tell() error {
	name := func(what string) string { return fmt.Sprintf("plan of %d: %s", c.projects, what) }
	rows := []func() error{
		func() error { return c.b.note(name("bare"), median(c.bare.wall), "s") },
		func() error { return c.b.note(name("tidelock"), median(c.tidelock.wall), "s") },
		func() error {
			return c.b.aim(name("tidelock over bare"), median(c.tidelock.wall)/median(c.bare.wall), "ratio", c.target)
		},
		func() error {
			return c.b.note(name("processor time, tidelock over bare"), median(c.tidelock.processor)/median(c.bare.processor), "ratio")
		},
	}
	if c.projects > 1 {
		rows = append(rows, func() error {
			return c.b.note(name("bare two at a time over bare"), median(c.pair.wall)/median(c.bare.wall), "ratio")
		})
	}
	rows = append(rows, func() error { return c.b.aim(name("calls to GitHub"), median(c.calls), "calls", maxCalls) })
	for _, add := range rows {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}
