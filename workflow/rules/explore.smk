# The interactive page: embeddings to select in, with the pose of each moment. Self-contained.
PICTURED = expand(
    f"{RUN}/embedding.npz",
    method=plan.pictured,
    holdout=plan.holdouts[0],
    seed=plan.settings.seeds[0],
)
EXPLORE = [f"{RESULTS}/explore.html"] if plan.explored else []


rule explore:
    input:
        manifests=MANIFESTS,
        folds=f"{RESULTS}/folds.csv",
        embeddings=PICTURED,
    output:
        f"{RESULTS}/explore.html",
    log:
        f"{RESULTS}/logs/explore.log",
    benchmark:
        f"{RESULTS}/benchmarks/explore.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
    params:
        config=plan.explore_sections,
        code=plan.code("explore"),
        embeddings=lambda wildcards, input: [
            f"--embedding={path}" for path in input.embeddings
        ],
    shell:
        "python -m neural_action explore --config {params.config:q} --folds {input.folds:q} {params.embeddings:q}"
        " --threads {threads} --output {output:q} {input.manifests:q} 2> {log:q}"


# What the report opens with (workflow/report/workflow.rst includes it).
rule overview:
    input:
        scores=f"{RESULTS}/scores_all.csv",
        embeddings=PICTURED,
        diagnostics=f"{DIAGNOSTICS}/diagnostics.json",
    output:
        f"{RESULTS}/overview.html",
    log:
        f"{RESULTS}/logs/overview.log",
    benchmark:
        f"{RESULTS}/benchmarks/overview.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        config=plan.table_sections,
        code=plan.code("overview"),
        embeddings=lambda wildcards, input: [
            f"--embedding={path}" for path in input.embeddings
        ],
    shell:
        "python -m neural_action overview --config {params.config:q} --scores {input.scores:q} {params.embeddings:q}"
        " --diagnostics {input.diagnostics:q} --output {output:q} 2> {log:q}"
