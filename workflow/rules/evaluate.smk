# Linear probing of every row, one job a row, holdout and seed; then all scores in one table.
rule evaluate:
    input:
        unpack(plan.evaluate_inputs),
        manifests=MANIFESTS,
        folds=f"{RESULTS}/folds.csv",
        weights=lambda wildcards: plan.weights(wildcards, RUN),
    output:
        scores=f"{RUN}/scores.csv",
        embedding=f"{RUN}/embedding.npz",
    log:
        f"{RESULTS}/logs/evaluate/{{method}}/{{holdout}}/seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/{{method}}/{{holdout}}/seed-{{seed}}.tsv"
    # Seconds long and many: on a cluster several are one submission, which runs them in turn (profiles/slurm).
    group:
        "evaluate"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(10),
        in_turn=1,
    params:
        config=lambda wildcards: plan.evaluate_sections(
            wildcards.method, wildcards.holdout
        ),
        code=lambda wildcards: plan.code(
            "evaluate", plan.method_modules(wildcards.method)
        ),
        given=lambda wildcards, input: options(
            {"weights": input.weights, **plan.evaluate_inputs(wildcards)}
        ),
    shell:
        "python -m neural_action evaluate --config {params.config:q} --method {wildcards.method} --folds {input.folds:q}"
        " --holdout {wildcards.holdout:q} --seed {wildcards.seed} --threads {threads} {params.given:q}"
        " --scores {output.scores:q} --embedding {output.embedding:q} {input.manifests:q} 2> {log:q}"


rule collect:
    input:
        expand(
            f"{RUN}/scores.csv",
            method=plan.methods,
            holdout=plan.holdouts,
            seed=plan.settings.seeds,
        ),
    output:
        scores=f"{RESULTS}/scores.csv",
        everything=f"{RESULTS}/scores_all.csv",
    log:
        f"{RESULTS}/logs/collect.log",
    benchmark:
        f"{RESULTS}/benchmarks/collect.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        code=plan.code("collect"),
    shell:
        "python -m neural_action collect --output {output.scores:q} --all {output.everything:q} {input:q} 2> {log:q}"


# The same scores of animals that pretraining did not see, apart: they belong to other protocols.
rule collect_unseen:
    input:
        expand(
            f"{RUN}/scores.csv",
            method=plan.settings.adapt.rows,
            holdout=[*plan.holdouts, *plan.unseen],
            seed=plan.settings.seeds,
        ),
    output:
        f"{RESULTS}/scores_unseen_animal.csv",
    log:
        f"{RESULTS}/logs/collect_unseen.log",
    benchmark:
        f"{RESULTS}/benchmarks/collect_unseen.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        code=plan.code("collect"),
    shell:
        "python -m neural_action collect --all {output:q} {input:q} 2> {log:q}"
