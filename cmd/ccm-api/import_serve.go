package main

import (
	"context"
	"sync"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/intake"
)

// serveLoads has the API load generations from Drive. What it returns ends the
// loads that are under way, whose workbook is then not loaded, and waits for them.
func (a *app) serveLoads(ctx context.Context, client *ccm.Client, cfg *serviceConfig) (end func(), err error) {
	cfg.api.Folder = cfg.process.drive.folder
	if cfg.library.Store.URL == "" {
		return func() {}, nil
	}
	l, err := openIntake(client, cfg.library, cfg.library.Logger)
	if err != nil {
		return nil, err
	}
	ending, cancel := context.WithCancel(context.WithoutCancel(ctx)) // requests under way may finish after ctx
	var running sync.WaitGroup
	source := lazyDrive{client, cfg.process.drive}
	cfg.api.Load = func(ctx context.Context, folder string, generation ccm.Date, o intake.Options) (intake.Report, error) {
		running.Add(1)
		defer running.Done()
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(ending, stop)()
		return l.Generation(ctx, o, source, folder, generation)
	}
	return func() {
		cancel()
		running.Wait()
		_ = l.Close() // nothing is under way
	}, nil
}
