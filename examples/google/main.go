// Command google lists a folder of Google Drive with CCM's credentials and
// Google's own library.
//
//	go run ./examples/google             against fakes in this process
//	GOOGLE_APPLICATION_CREDENTIALS=robot.json go run ./examples/google -folder ID
//
// The credentials are found, kept fresh and mended as the service does it: see
// package oauth, and docs/google.md for what to share with whom.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	_ "time/tzdata"

	"google.golang.org/api/drive/v3"
	"google.golang.org/api/option"

	"github.com/ccmwf/ccm/ccm"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "google:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, lookup func(string) (string, bool), out io.Writer) error {
	flags := flag.NewFlagSet("google", flag.ContinueOnError)
	folder := flags.String("folder", fakeFolder, "carpeta de Drive, por su identificador")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cfg, err := ccm.ParseEnv(lookup)
	if err != nil {
		return err
	}
	var options []option.ClientOption
	if cfg.Google.File == "" {
		fake := startFakes()
		defer fake.stop()
		cfg.Google.JSON = fake.ServiceAccount()
		options = append(options, option.WithEndpoint(fake.drive))
	} else if url, ok := lookup("GOOGLE_DRIVE_API_URL"); ok {
		options = append(options, option.WithEndpoint(strings.TrimSuffix(url, "/")+"/"))
	}
	client, err := ccm.Open(cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	g, err := client.Google(ctx)
	if err != nil {
		return err // an oauth.Error, with the cure
	}
	service, err := drive.NewService(ctx, append(options, option.WithHTTPClient(g.Client()))...)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Con %s %s\n\n", g.Kind(), g.Account())
	return list(ctx, service, *folder, out)
}

// list prints what is in a folder, page after page, in shared drives too.
func list(ctx context.Context, service *drive.Service, folder string, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ARCHIVO\tCAMBIADO\tBYTES")
	call := service.Files.List().
		Q(fmt.Sprintf("'%s' in parents and trashed = false", strings.ReplaceAll(folder, "'", `\'`))).
		OrderBy("name").Fields("nextPageToken, files(name, modifiedTime, size)").
		SupportsAllDrives(true).IncludeItemsFromAllDrives(true)
	err := call.Pages(ctx, func(page *drive.FileList) error {
		for _, f := range page.Files {
			fmt.Fprintf(table, "%s\t%s\t%d\n", f.Name, f.ModifiedTime, f.Size)
		}
		return nil
	})
	return errors.Join(err, table.Flush())
}
