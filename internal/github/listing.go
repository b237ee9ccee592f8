package github

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// PullComment is a comment and the pull request in whose conversation it
// stands.
type PullComment struct {
	Comment
	Pull int
}

// pullOfComment reads the pull's number from a comment's page, 0 for a comment
// on a plain issue: …/pull/7#issuecomment-9 against …/issues/7#issuecomment-9.
func pullOfComment(html string) int {
	page, _, _ := strings.Cut(html, "#")
	dir, number := path.Split(page)
	if path.Base(dir) != "pull" {
		return 0
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// MaxPullFiles is how many files of a pull request GitHub lists at most.
const MaxPullFiles = 3000

// PullFiles lists the files that a pull request changes, those that it renames
// under both names: one request per 100. whole is false where GitHub's list
// ends before the pull does; ask git then.
func (c *Client) PullFiles(ctx context.Context, repoID int64, number int) (files []string, whole bool, err error) {
	count := 0
	for page := 1; page != 0; {
		var out []struct {
			Name     string `json:"filename"`
			Previous string `json:"previous_filename"`
		}
		resp, err := c.repo(ctx, repoID, "GET", pullPath(number, "/files")+paging(page), nil, &out)
		if err != nil {
			return nil, false, classify(fmt.Sprintf("list files of pull %d of repository %d", number, repoID), err)
		}
		for _, f := range out {
			files = append(files, f.Name)
			if f.Previous != "" && f.Previous != f.Name {
				files = append(files, f.Previous)
			}
		}
		count += len(out)
		page = resp.NextPage
	}
	return files, count < MaxPullFiles, nil
}
