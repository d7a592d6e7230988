# The interactive page of embeddings and poses, one self-contained file.
PICTURED = expand(
    f"{RUN}/embedding.npz",
    method=plan.pictured,
    run=plan.first_run,
    seed=plan.settings.seeds[0],
)
EXPLORE = [f"{RESULTS}/explore.html"] if plan.pictured else []


rule explore:
    input:
        dataset=DATASET,
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
        dataset=dataset_folder,
        config=plan.depends_on.explore(plan.pictured),
        code=plan.code("explore"),
        animal=plan.pictured_animal,
        embeddings=lambda wildcards, input: [
            f"--embedding={path}" for path in input.embeddings
        ],
    shell:
        "python -m neural_action explore --config {params.config:q} --dataset {params.dataset:q} {params.animal:q} {params.embeddings:q}"
        " --threads {threads} --output {output:q} 2> {log:q}"


# The overview that opens the report (workflow/report/workflow.rst includes it).
rule overview:
    input:
        scores=f"{RESULTS}/scores.csv",
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
        config=plan.depends_on.tables,
        code=plan.code("overview"),
        embeddings=lambda wildcards, input: [
            f"--embedding={path}" for path in input.embeddings
        ],
    shell:
        "python -m neural_action overview --config {params.config:q} --scores {input.scores:q} {params.embeddings:q}"
        " --diagnostics {input.diagnostics:q} --output {output:q} 2> {log:q}"
