package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// pushRounds is how many pushes the comparison is made of, and pushTarget what
// one may cost over the plan of the one project that it touches.
const (
	pushRounds = 7
	pushTarget = 1.3
)

// benchPush measures a push to a pull request of many projects that touches one
// of them, from the webhook to the comment, against Terraform by hand in that
// one project: in a clone of its own, and in one that is kept and initialised,
// which somebody who plans all day would have.
func benchPush(projects int) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error {
		s, err := newStage(ctx, b.tools)
		if err != nil {
			return err
		}
		defer s.close()
		repo := s.gh.CreateRepo("bench", "push", githubtest.RepoOptions{Files: b.tools.files(projects, "t3.small"), Public: true})
		const branch = "grow"
		repo.Commit("ada", branch, "Larger instances", b.tools.files(projects, "t3.medium"))
		if err := s.gh.Quiet(ctx); err != nil {
			return err
		}
		pull := repo.Open("ada", githubtest.PullRequest{Title: "Larger instances", Head: branch})
		p := pushes{b: b, s: s, repo: repo, pull: pull, branch: branch, resources: perProject * projects}
		if err := p.await(ctx); err != nil {
			return s.trouble(err)
		}
		kept, err := os.MkdirTemp(b.tools.dir, "kept-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(kept)
		p.kept = filepath.Join(kept, "tree")
		if err := p.prepare(ctx); err != nil {
			return err
		}
		for i := range pushRounds {
			if err := p.round(ctx, i); err != nil {
				return s.trouble(err)
			}
		}
		return p.tell(projects)
	}
}

// pushes gathers the rounds.
type pushes struct {
	b         *bench
	s         *stage
	repo      *githubtest.Repo
	pull      *githubtest.Pull
	branch    string
	kept      string // a clone in which Terraform was initialised
	resources int    // that the pull request makes by now

	fresh, again, tidelock series
}

// await waits until the comment and the check tell of all resources.
func (p *pushes) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := p.s.gh.Wait(ctx, func() bool { ok, _ := planned(p.pull, p.resources); return ok && settled(p.pull) }); err != nil {
		_, wrong := planned(p.pull, p.resources)
		return fmt.Errorf("no finished plan: %w", errors.Join(err, wrong))
	}
	return p.s.gh.Quiet(ctx)
}

// prepare clones once and initialises the project that the pushes touch.
func (p *pushes) prepare(ctx context.Context) error {
	t, m := p.b.tools, &meter{}
	if err := t.command(ctx, m, filepath.Dir(p.kept), "git", "clone", "-q", "-b", p.branch, p.repo.CloneURL(), p.kept); err != nil {
		return err
	}
	return t.command(ctx, m, filepath.Join(p.kept, projectDir(0)), t.terraform.Path, "init", "-input=false", "-no-color")
}

func (p *pushes) round(ctx context.Context, i int) error {
	seen, before := len(p.s.gh.Deliveries()), effortOf(p.s.pid())
	p.resources++
	p.repo.Commit("ada", p.branch, "One more", githubtest.Files{
		fmt.Sprintf("%s/more%d.tf", projectDir(0), i): fmt.Sprintf("resource \"aws_sqs_queue\" \"more%d\" {\n  name = \"more-%d\"\n}\n", i, i),
	})
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := p.s.gh.Wait(wait, func() bool { ok, _ := planned(p.pull, p.resources); return ok })
	end := time.Now()
	if err != nil {
		return fmt.Errorf("no finished plan: %w", err)
	}
	start, err := p.s.pushed(p.repo, seen)
	if err != nil {
		return err
	}
	if err := p.await(ctx); err != nil {
		return err
	}
	p.tidelock.add(spent{end.Sub(start).Seconds(), effortOf(p.s.pid()).since(before).sum()})
	x, err := p.b.tools.bare(ctx, p.repo, p.branch, 1, 1)
	if err != nil {
		return err
	}
	p.fresh.add(x)
	if x, err = p.inKept(ctx); err != nil {
		return err
	}
	p.again.add(x)
	fmt.Printf("  push %d: bare %.2f s, bare in a kept clone %.2f s, tidelock %.2f s\n", i+1, p.fresh.wall[i], p.again.wall[i], p.tidelock.wall[i])
	return nil
}

// inKept plans by hand in the clone that is kept.
func (p *pushes) inKept(ctx context.Context) (spent, error) {
	t, m, start := p.b.tools, &meter{}, time.Now()
	if err := t.command(ctx, m, p.kept, "git", "pull", "-q"); err != nil {
		return spent{}, err
	}
	in := filepath.Join(p.kept, projectDir(0))
	for _, args := range [][]string{{"plan", "-input=false", "-no-color", "-out=plan"}, {"show", "-no-color", "-json", "plan"}} {
		if err := t.command(ctx, m, in, t.terraform.Path, args...); err != nil {
			return spent{}, err
		}
	}
	return spent{time.Since(start).Seconds(), m.seconds()}, nil
}

func (p *pushes) tell(projects int) error {
	name := func(what string) string { return fmt.Sprintf("push to %d, 1 touched: %s", projects, what) }
	for _, add := range []func() error{
		func() error { return p.b.note(name("bare"), median(p.fresh.wall), "s") },
		func() error { return p.b.note(name("bare in a kept clone"), median(p.again.wall), "s") },
		func() error { return p.b.note(name("tidelock"), median(p.tidelock.wall), "s") },
		func() error {
			return p.b.aim(name("tidelock over bare"), median(p.tidelock.wall)/median(p.fresh.wall), "ratio", pushTarget)
		},
		func() error {
			return p.b.note(name("tidelock over bare in a kept clone"), median(p.tidelock.wall)/median(p.again.wall), "ratio")
		},
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}
