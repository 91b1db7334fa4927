package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageTemplate is cobra's, in Spanish.
const usageTemplate = `Uso:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} ORDEN{{else}}{{.UseLine}}{{end}}{{if .Aliases}}

También:
  {{.NameAndAliases}}{{end}}{{if .HasExample}}

Ejemplos:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Órdenes:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{with .Aliases}} ({{index . 0}}){{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Opciones:
{{.LocalFlags.FlagUsages | spanish | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Opciones de todas las órdenes:
{{.InheritedFlags.FlagUsages | spanish | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

La ayuda de una orden: {{.CommandPath}} ORDEN --help{{end}}
`

const rootLong = `Reportes y alertas de un Centro de Capacitación Misional: de la base de datos
MySQL a un chat de Telegram, por HTTP o desde la terminal.

Los ajustes vienen del entorno o de un archivo .env; el entorno manda.

Códigos de salida:
  0  hecho
  1  falló, y no hay duda: puede repetirse
  2  la orden o los ajustes están mal
  3  enviado sin confirmación: mire el chat antes de repetirlo`

const rootExample = `  ccm-api diagnostico
  ccm-api vista-previa ingresos --rama 14
  ccm-api enviar cumpleaños --dias 30
  ccm-api serve`

func init() {
	cobra.AddTemplateFunc("spanish", strings.NewReplacer("(default ", "(por omisión ", " string ", " TEXTO  ", " int ", " N   ").Replace)
}

// rootCommand is the whole tree of commands.
func (a *app) rootCommand() *cobra.Command {
	var envFile string
	root := group(&cobra.Command{
		Use:               "ccm-api",
		Short:             "Reportes y alertas de un CCM por Telegram",
		Long:              rootLong,
		Example:           rootExample,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.readEnvFile(envFile, cmd.Flags().Changed("env-file"))
		},
	})
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(flagError)
	root.SetGlobalNormalizationFunc(spanishFlags)
	flags := root.PersistentFlags()
	flags.StringVar(&envFile, "env-file", ".env", "archivo de ajustes; sin esta opción puede faltar")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "los registros, en JSON, por la salida de errores")
	flags.BoolP("help", "h", false, "esta ayuda")
	root.SetHelpCommand(helpCommand(root))
	root.AddCommand(a.serveCommand(), a.healthcheckCommand(), a.doctorCommand(), a.migrateCommand(),
		a.sendCommand(), a.deliveriesCommand(), a.previewCommand(), a.datasetCommand(), a.cacheCommand(), a.importCommand(), a.googleCommand(),
		withoutSettings(a.openAPICommand()), withoutSettings(a.versionCommand()), withoutSettings(a.completionCommand(root)))
	return root
}

// group makes a command that only holds others.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf("; ¿quiso decir «%s»?", strings.Join(near, "» o «"))
		}
		return misused("no existe la orden «%s %s»%s", cmd.CommandPath(), args[0], hint)
	}
	cmd.SuggestionsMinimumDistance = 2
	return cmd
}

// withoutSettings makes a command work whatever .env holds.
func withoutSettings(cmd *cobra.Command) *cobra.Command {
	cmd.PersistentPreRunE = func(*cobra.Command, []string) error { return nil }
	return cmd
}

func helpCommand(root *cobra.Command) *cobra.Command {
	return withoutSettings(&cobra.Command{
		Use:     "help [ORDEN]",
		Aliases: []string{"ayuda"},
		Short:   "La ayuda de una orden",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return misused("no existe la orden «ccm-api %s»", strings.Join(args, " "))
			}
			return cmd.Help()
		},
	})
}

// spanishFlags gives options their Spanish names too.
func spanishFlags(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if english, ok := map[string]string{
		"rama": "branch", "dias": "days", "días": "days", "actualizar": "refresh", "clave": "key", "simular": "dry-run",
		"titulo": "title", "título": "title", "texto": "body", "nivel": "level", "formato": "output", "ayuda": "help",
		"carpeta": "drive-folder", "generacion": "generation", "generación": "generation", "forzar": "force", "tolerante": "lenient",
		"estado": "state", "reporte": "report", "desde": "from", "hasta": "to", "limite": "limit", "límite": "limit", "todos": "all", "quien": "who", "quién": "who",
	}[name]; ok {
		name = english
	}
	return pflag.NormalizedName(name)
}

// flagError says in Spanish what is wrong with an option.
func flagError(_ *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return misused("no existe la opción «%s»", dashed(unknown.GetSpecifiedName()))
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return misused("a la opción «%s» le falta su valor", dashed(bare.GetSpecifiedName()))
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return misused("la opción «%s» no acepta ese valor: espera %s", dashed(invalid.GetFlag().Name), expected(invalid.GetFlag().Value.Type()))
	}
	return misused("una opción no se entiende: %w", err)
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func expected(kind string) string {
	switch kind {
	case "int":
		return "un número entero"
	case "bool":
		return "true o false"
	}
	return "otro"
}

// noArgs and oneArg check how many words follow a command.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misused("sobra «%s»", args[0])
	}
	return nil
}

func oneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return misused("falta %s", what)
		case len(args) > 1:
			return misused("sobra «%s»", args[1])
		}
		return nil
	}
}
