package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// calledNote is what stands in the data folder of what GitHub called the App
// the last time.
type calledNote struct {
	App  int64  `json:"app_id"`
	Slug string `json:"slug"`
}

func (s *server) calledFile() string { return filepath.Join(s.config.DataDir, "app.json") }

// rememberedName is what the App was called the last time, "" where nobody
// knows, or it was another App.
func (s *server) rememberedName() string {
	var n calledNote
	text, err := os.ReadFile(s.calledFile())
	if err != nil || json.Unmarshal(text, &n) != nil || n.App != s.config.GitHub.AppID {
		return ""
	}
	return n.Slug
}

// The pauses between questions to a GitHub that does not answer.
const (
	firstNamePause = time.Second
	mostNamePause  = time.Minute
)

// learnName asks GitHub what the App is called until it answers, and remembers
// it for the next start. The server works meanwhile: with the name of the last
// start, or without, when comments wait until it is known.
func (s *server) learnName(ctx context.Context) {
	remembered := s.rememberedName()
	for pause := firstNamePause; ; pause = min(2*pause, mostNamePause) {
		asking, cancel := context.WithTimeout(ctx, 15*time.Second)
		info, err := s.app.Self(asking)
		cancel()
		if err == nil {
			s.bot.Called(info.Slug)
			s.rememberName(remembered, info.Slug)
			return
		}
		if ctx.Err() != nil {
			return
		}
		if pause == firstNamePause {
			s.log.Warn("GitHub does not say what the App is called; it is asked again", "remembered", remembered, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (s *server) rememberName(was, is string) {
	if was == is {
		return
	}
	text, err := json.Marshal(calledNote{s.config.GitHub.AppID, is})
	if err == nil {
		half := s.calledFile() + ".new"
		if err = os.WriteFile(half, append(text, '\n'), 0o600); err == nil {
			err = os.Rename(half, s.calledFile())
		}
	}
	if err != nil {
		s.log.Warn("the App's name is not remembered: the next start waits for GitHub to understand comments", "error", err)
	}
	s.log.Info("GitHub says what the App is called", "name", is, "remembered", was)
}
