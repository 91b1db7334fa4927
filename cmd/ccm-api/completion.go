package main

import "github.com/spf13/cobra"

const completionLong = `Escribe el guion que completa las órdenes con la tecla Tab.

  bash        ccm-api completion bash > /etc/bash_completion.d/ccm-api
  zsh         ccm-api completion zsh > "${fpath[1]}/_ccm-api"
  fish        ccm-api completion fish > ~/.config/fish/completions/ccm-api.fish
  powershell  ccm-api completion powershell | Out-String | Invoke-Expression`

func (a *app) completionCommand(root *cobra.Command) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion bash|zsh|fish|powershell",
		Aliases:   []string{"completar"},
		Short:     "El guion que completa órdenes en la terminal",
		Long:      completionLong,
		ValidArgs: shells,
		Args:      oneArg("la terminal: bash, zsh, fish o powershell"),
		RunE: func(_ *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.out, true)
			case "zsh":
				return root.GenZshCompletion(a.out)
			case "fish":
				return root.GenFishCompletion(a.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.out)
			}
			return misused("no conozco la terminal «%s»: bash, zsh, fish o powershell", args[0])
		},
	}
}
