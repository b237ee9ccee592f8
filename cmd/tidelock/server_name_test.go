package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// A GitHub that takes every question and answers none keeps no server from
// starting, and no comment from being obeyed once it speaks again.
func TestAStartWaitsForNoAnswerOfGitHub(t *testing.T) {
	t.Parallel()
	gh := githubtest.New(t, githubtest.Options{Slug: "tideline"}) // not what a server would take it for
	repo := gh.CreateRepo("acme", "infra", githubtest.RepoOptions{Files: githubtest.Files{"README.md": "# infra\n"}})
	repo.Collaborator("ada", "write")
	repo.Commit("ada", "feature", "Change", githubtest.Files{"README.md": "# more\n"})
	pull := repo.Open("ada", githubtest.PullRequest{Title: "Change", Head: "feature"})

	data, listen := t.TempDir(), freeAddress(t)
	gh.SetWebhook("http://"+listen+"/webhook", configtest.WebhookSecret)
	env := []string{
		"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "TIDELOCK_CONFIG=" + configtest.Empty(t), "TIDELOCK_TERRAFORM_DOWNLOAD=true",
		"TIDELOCK_DATA_DIR=" + data, "TIDELOCK_LISTEN=" + listen, "TIDELOCK_GITHUB_APP_ID=" + fmt.Sprint(gh.AppID()), "TIDELOCK_GITHUB_PRIVATE_KEY=" + gh.AppKey(),
		"TIDELOCK_GITHUB_WEBHOOK_SECRET=" + configtest.WebhookSecret, "TIDELOCK_GITHUB_API_URL=" + gh.APIURL(), "TIDELOCK_GITHUB_WRITE_INTERVAL=0s",
	}
	c, problems := config.Load("", env)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	// serve runs a server until the function is called that it returns.
	serve := func() (s *server, stop func()) {
		t.Helper()
		s, err := newServer(t.Context(), c, env, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", listen)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.run(ctx, l) }()
		if _, err := askHealth(t.Context(), "http://"+listen+"/healthz"); err != nil {
			t.Error(err)
		}
		return s, func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			s.close()
		}
	}
	// stored is what became of the comments' webhooks.
	stored := func(s *server) string {
		t.Helper()
		rows, err := s.db.QueryContext(t.Context(), `SELECT status FROM deliveries WHERE event='issue_comment' ORDER BY received_ms, guid`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var all []string
		for rows.Next() {
			var status string
			if err := rows.Scan(&status); err != nil {
				t.Fatal(err)
			}
			all = append(all, status)
		}
		return strings.Join(all, " ")
	}
	answered := func() (n int) {
		for _, c := range pull.Comments() {
			if c.ByApp && strings.Contains(c.Body, "@tideline plan") {
				n++
			}
		}
		return n
	}

	speak := gh.Faults().Silence()
	s, stop := serve()
	pull.Comment("ada", "nice")
	pull.Comment("ada", "@tideline help")
	eventually(t, "both comments to be taken", func() bool { return stored(s) == "queued queued" })
	speak()
	eventually(t, "the mention to be understood", func() bool { return answered() == 1 })
	eventually(t, "the other comment to be let go", func() bool {
		status := stored(s)
		return strings.Contains(status, "ignored") && strings.Contains(status, "done")
	})
	stop()

	// The next start knows the name, whatever GitHub says.
	speak = gh.Faults().Silence()
	s, stop = serve()
	if s.bot.Name != "tideline" {
		t.Errorf("the next start takes the App for %q", s.bot.Name)
	}
	pull.Comment("ada", "nice again")
	eventually(t, "it to be let go at once", func() bool { return strings.Count(stored(s), "ignored") == 2 })
	pull.Comment("ada", "@tideline help")
	eventually(t, "a mention to be taken", func() bool { return strings.Contains(stored(s), "queued") })
	speak()
	eventually(t, "the second mention to be understood", func() bool { return answered() == 2 })
	stop()
	if text, err := os.ReadFile(s.calledFile()); err != nil || !strings.Contains(string(text), fmt.Sprintf(`"app_id":%d`, gh.AppID())) {
		t.Errorf("remembered: %s, %v", text, err)
	}
}
