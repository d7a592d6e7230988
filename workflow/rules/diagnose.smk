# Checks for silent errors: leaks, duplicates, permuted labels, clocks, labels, names and balance.
DIAGNOSTICS = f"{RESULTS}/diagnostics"


rule diagnose:
    input:
        dataset=DATASET,
        splits=SPLIT_TABLE,
        scores=f"{RESULTS}/scores.csv",
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
        dataset=dataset_folder,
        config=plan.depends_on.diagnose,
        code=plan.code("diagnose"),
        folder=lambda wildcards, output: str(Path(output.summary).parent),
        splits=[f"--split={name}" for run in plan.runs.values() for name in run.splits],
        swaps=lambda wildcards, input: [f"--swaps={path}" for path in input.swaps],
    shell:
        "python -m neural_action diagnose --config {params.config:q} --dataset {params.dataset:q} --splits {input.splits:q} {params.splits:q}"
        " {params.swaps:q} --scores {input.scores:q} --threads {threads} --output {params.folder:q} 2> {log:q}"
