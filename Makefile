# `make` lists the commands. The first one that needs it makes .venv; nothing is installed outside it
# but the system packages that scripts/system-packages names.
PYTHON ?= python3
BIN = .venv/bin
MANAGE = $(BIN)/python manage.py
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test test-long lint bench screenshots messages lock vendor

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/.demo: requirements.lock
.venv/.dev: requirements-dev.lock
.venv/.demo .venv/.dev: requirements-uv.lock
	@sh scripts/install $(PYTHON) $(@F) $(word 2,$^)
	@touch $@

MESSAGES = locale/fr/LC_MESSAGES/django.mo
$(MESSAGES): locale/fr/LC_MESSAGES/django.po
	@$(BIN)/pybabel -q compile -d locale -D django 2>/dev/null || $(BIN)/pybabel compile -d locale -D django

demo: $(or $(wildcard .venv/.dev),.venv/.demo) $(MESSAGES) ## everything on this machine, with demo data; Ctrl-C stops it
	@exec $(BIN)/python -m scripts.demo

demo-reset: $(or $(wildcard .venv/.dev),.venv/.demo) $(MESSAGES) ## the same, from new demo data
	@exec $(BIN)/python -m scripts.demo --reset

lint: .venv/.dev ## format, lint, types, imports, templates, Dockerfile, settings, migrations
	@mkdir -p var && sh scripts/lint

test: .venv/.dev $(MESSAGES) lint ## what continuous integration runs
	$(BIN)/python -m pytest -n 2 -m "not long and not alone"
	$(BIN)/python -m pytest -m "alone and not long"

test-long: .venv/.dev $(MESSAGES) ## the long rounds of races, kills and forged barcodes
	RELAIS_LONG=1 $(BIN)/python -m pytest -n 2 -m "not alone"
	RELAIS_LONG=1 $(BIN)/python -m pytest -m alone

bench: .venv/.dev $(MESSAGES) ## measure; writes bench/results.json
	$(BIN)/python -m bench

screenshots: .venv/.dev $(MESSAGES) ## pictures of the main pages in var/shots, from the demo data
	$(BIN)/python -m scripts.screenshots

messages: .venv/.dev ## collect what is to be translated into locale/*/LC_MESSAGES/django.po
	DEMO=1 $(MANAGE) makemessages -l fr --no-obsolete --add-location=file -i .venv -i var -i node_modules
	@sed -i.bak '/^"Report-Msgid-Bugs-To:/d;/^"POT-Creation-Date:/d' locale/fr/LC_MESSAGES/django.po && rm locale/fr/LC_MESSAGES/django.po.bak
	@$(MAKE) -s $(MESSAGES)

lock: .venv/.dev ## resolve the dependencies again
	@sh scripts/lock

vendor: ## copy the front-end files of package.json into static/vendor (needs npm)
	@sh scripts/vendor
