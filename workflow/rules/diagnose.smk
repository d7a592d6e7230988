# What would make the numbers wrong without an error: leaks, clocks, labels, names, duplicates, balance, the control.
DIAGNOSTICS = f"{RESULTS}/diagnostics"


rule diagnose:
    input:
        manifests=MANIFESTS,
        folds=plan.folds,
        scores=f"{RESULTS}/scores_all.csv",
        swaps=plan.swap_tables,
    output:
        page=report(
            f"{DIAGNOSTICS}/diagnostics.html",
            caption="../report/diagnostics.rst",
            category="Diagnostics",
            labels={"page": "all checks"},
        ),
        picture=report(
            f"{DIAGNOSTICS}/diagnostics.png",
            caption="../report/diagnostics.rst",
            category="Diagnostics",
            labels={"page": "picture"},
        ),
        summary=f"{DIAGNOSTICS}/diagnostics.json",
    log:
        f"{RESULTS}/logs/diagnose.log",
    benchmark:
        f"{RESULTS}/benchmarks/diagnose.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(20),
    params:
        config=plan.diagnose_sections,
        code=plan.code("diagnose"),
        folder=lambda wildcards, output: str(Path(output.summary).parent),
        holdouts=[f"--holdout={holdout}" for holdout in plan.holdouts],
        swaps=lambda wildcards, input: [f"--swaps={path}" for path in input.swaps],
    shell:
        "python -m neural_action diagnose --config {params.config:q} --folds {input.folds:q} {params.holdouts:q}"
        " {params.swaps:q} --scores {input.scores:q} --threads {threads} --output {params.folder:q}"
        " {input.manifests:q} 2> {log:q}"
