package main

import "github.com/spf13/cobra"

// newCompletionCommand returns `tidelock completion`.
func newCompletionCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "completion {bash|zsh|fish|powershell}",
		Short: "Print the completion script for a shell",
		Long:  "Prints the script that completes tidelock's commands, flags and arguments in a shell.",
		Example: `  # bash, for this session and for good
  source <(tidelock completion bash)
  tidelock completion bash > /etc/bash_completion.d/tidelock

  # zsh
  tidelock completion zsh > "${fpath[1]}/_tidelock"

  # fish
  tidelock completion fish > ~/.config/fish/completions/tidelock.fish

  # PowerShell
  tidelock completion powershell | Out-String | Invoke-Expression`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(p.stdout, true)
			case "zsh":
				return root.GenZshCompletion(p.stdout)
			case "fish":
				return root.GenFishCompletion(p.stdout, true)
			}
			return root.GenPowerShellCompletionWithDesc(p.stdout)
		},
	}
}
